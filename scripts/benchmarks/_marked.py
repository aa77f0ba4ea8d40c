"""Lines of film dialogue in the languages of Kokoro, each with a word that a take may lack."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from dubbing.text.wording import Wording

VOICES: Mapping[str, str] = {
    "es": "ef_dora",
    "fr": "ff_siwis",
    "it": "if_sara",
    "pt": "pf_dora",
    "hi": "hf_alpha",
    "ja": "jf_alpha",
    "zh": "zf_xiaobei",
}
"""A voice of Kokoro for each language."""
_MARKED = re.compile(r"\{(.+?)\}")


def complete_and_lacking(language: str) -> Iterator[tuple[str, str]]:
    """Yield the spoken text of each line, and the same without the marked word."""
    wording = Wording(language)
    for line in _LINES[language].strip().splitlines():
        yield wording.spoken(_MARKED.sub(r"\1", line)), wording.spoken(_MARKED.sub("", line))


_LINES: Mapping[str, str] = {
    "es": """
¿Cuántas veces {más} tengo que decírtelo?
¡No toques esa puerta {nunca}, por favor!
Nos vemos a las 7:30 {delante} de la estación.
El tren de las 15 {horas} llegó con 20 minutos de retraso.
Ella dijo: «{No} quiero volver a verte».
Te llamé {tres} veces, pero no contestaste.
Al abuelo {le} gustaba contar historias del mar.
Mi hermano vive {en} la calle del Sol, número 12.
Dámelo ahora {mismo} o llamo a la policía.
El señor Ramírez ya {no} trabaja con nosotros desde 2019.
""",
    "fr": """
L'eau {froide} coule sous le vieux pont.
Qu'est-ce que tu {veux} dire par là ?
Je n'ai {jamais} vu quelqu'un d'aussi têtu.
Aujourd'hui, c'est l'anniversaire {de} mon oncle.
Il y a 25 personnes {qui} attendent dehors depuis 8 h.
J'ai {tout} entendu, mais je n'ai rien dit.
« Va-t'en {vite} ! » cria-t-elle en fermant la porte.
Jusqu'à quand {allons}-nous rester ici ?
Le docteur m'a dit {que} ça va aller mieux.
S'il te plaît, donne-lui {encore} une chance.
""",
    "it": """
Dov'è {finita} la mia giacca nera?
L'uomo dell'ufficio {accanto} non c'è più.
Non ho {mai} detto che fosse colpa tua.
Ci vediamo alle 8:15 davanti {al} cinema.
Un'altra volta, {forse}, quando avrò tempo.
Quest'anno compio 43 {anni} e non mi sento vecchio.
C'era una volta {un} re che non sapeva ridere.
Ti ho aspettato {tutta} la notte sotto la pioggia.
Perché non {me} l'hai detto prima?
All'improvviso qualcuno bussò {forte} alla porta.
""",
    "pt": """
Você {não} pode sair daqui sem me avisar.
O avô contava {sempre} a mesma história do mar.
Dá-me {um} copo de água, por favor.
Eram 3 horas {da} manhã quando o telefone tocou.
Não sei {onde} deixei as chaves do carro.
Ele comprou 12 {laranjas} e um quilo de arroz.
A gente se vê {amanhã} na estação de trem.
Nunca mais {quero} ouvir falar dessa casa.
Guarda-chuva? {Hoje} não vai chover, acredite.
Minha irmã mora {aqui} desde 1998.
""",
    "hi": """
मुझे {कल} सुबह दिल्ली जाना है।
तुमने मुझे {पहले} क्यों नहीं बताया?
वह {लड़का} हर रोज़ यहाँ आता है।
दरवाज़ा {बंद} करो, बाहर बहुत ठंड है।
मेरे पास केवल 50 {रुपये} बचे हैं।
हम {सब} मिलकर यह काम करेंगे।
उसने कहा कि वह {नहीं} आएगा।
चाय {गरम} है, धीरे पीना।
पिताजी {आज} शाम को 7 बजे घर आएँगे।
क्या आप {मेरी} मदद कर सकते हैं?
मैंने {तुमसे} कहा था कि नाव सात बजे जाएगी।
तूफ़ान के {बाद} किसी ने कप्तान को नहीं देखा।
खिड़की के पास {दीया} रख दो।
डॉक्टर ने कहा कि वह {जल्दी} ठीक हो जाएगा।
रसोई की मेज़ पर एक {चिट्ठी} रखी है।
मुझे {कितनी} बार कहना पड़ेगा?
वह {चुपचाप} दरवाज़ा बंद करके चली गई।
मैं तीन घंटे से इस {गाड़ी} का इंतज़ार कर रहा हूँ।
मेरे भाई ने एक {नाव} खरीदी है।
बारिश के कारण दुकान आज {जल्दी} बंद होगी।
बच्चों को {अंदर} बुला लो।
वह हर रात {वही} गाना गाता है।
मुझे पानी से {डर} नहीं लगता।
सारा शहर {अभी} सो रहा था।
मुझे एक गिलास {ठंडा} पानी चाहिए।
हमारे पड़ोसी {बहुत} अच्छे लोग हैं।
रोटी अभी {गरम} है।
रात को छत पर {कोई} चल रहा था।
बिना पढ़े कोई {कागज़} मत साइन करना।
इंजन {बंद} करो और सुनो।
""",
    "ja": """
明日の{朝}、駅の前で会いましょう。
どうして{もっと}早く教えてくれなかったの？
彼は「{絶対}に行かない」と言った。
電車は１５分{遅れて}到着します。
窓を{閉めて}ください、外は寒いです。
私には{まだ} ３人の子供がいます。
この手紙は{誰}が書いたのですか？
コーヒーを{二}杯お願いします。
昨日は{とても}楽しかったね、ありがとう！
2019年に{東京}へ引っ越しました。
船は{七時}に出ると言ったでしょう。
嵐のあと、{誰も}船長を見ていません。
帰り道がわかるように、窓に{明かり}を置いて。
これが山での{最後の}冬だと約束したよね。
医者は夏の{前に}歩けるようになると言っています。
台所の机に{手紙}があります。
庭の門を{閉めて}と何度言えばいいの？
彼女は{静かに}ドアを閉めた。
二つ目の通りを{左に}曲がってください。
彼だけが子供たちの{名前}を覚えていた。
この電車を{もう}三時間も待っています。
兄は隣の村の漁師から{船}を買った。
雨なので、博物館は今日{早く}閉まります。
私が{若い}ころ、この谷は森だった。
暗くなる{前に}子供たちを呼んでください。
馬はどうしても{前に}進まなかった。
彼は{毎晩}同じ曲を弾く。
水は{怖く}ない、水の下が怖いんだ。
町中が{まだ}眠っていた。
彼は{外国の}硬貨で払った。
窓を{少し}開けて、煙が目にしみる。
兵士たちは{全部の}部屋を調べた。
{冷たい}水を一杯ください。
裁判官は{二人}の話を聞いて、首を振った。
隣の人たちは春に{引っ越し}ました。
パンは{まだ}温かいから、切らないで。
夜中に{誰か}が屋根を歩く音がした。
読んでいない書類には{絶対に}署名しないで。
城への道は{急}ですが、景色はきれいです。
エンジンを{止めて}、聞いて、外に何かいる。
""",
    "zh": """
你为什么{不}早点告诉我？
他{昨天}晚上八点就离开了。
请把{窗户}关上，外面很冷。
我有３个{孩子}，都在北京上学。
她说：“我{再也}不想见到你。”
这封信是{谁}写的？
我们 明天 {早上} 在 车站 见面。
火车晚点了15{分钟}。
这件事{绝对}不能让他知道！
我在２０１９年{搬}到了上海。
我告诉过你，船七点{就}开了。
暴风雨以后，{没有}人见过船长。
把灯放在{窗}边，让他找到回家的路。
你答应过我，这是{最后}一个冬天。
医生说他夏天{之前}就能走路了。
厨房的桌子上有{一封}信。
我还要{说}多少次，把花园的门锁上？
她轻轻地{关上}门，再也没有提起这件事。
第二条街左转，就在{老}市场后面。
他是唯一{记得}所有孩子名字的人。
这趟火车我{已经}等了三个小时了。
我哥哥从邻村的渔夫{那里}买了这条船。
今天下雨，博物馆会{提早}关门。
我年轻的时候，这里{到处}都是树。
天黑{之前}请叫孩子们进来。
这匹马怎么也不{肯}往前走。
每天晚上他都弹{同样}的曲子。
我不怕水，我{怕}水下面的东西。
整座城市{还}在睡觉，钟声就响了。
他付了一把{外国}的硬币。
请把窗户{打开}一点，烟熏得我眼睛疼。
士兵搜查了{每}个房间，除了地下室。
给我一杯{冷}水和一支笔。
法官听完两个人的话，{然后}摇了摇头。
邻居们春天{搬}走了，没有告别。
面包{还}是热的，先别切。
半夜我听见{有人}在屋顶上走。
没看过的文件{千万}不要签字。
去城堡的路{很}陡，但风景很美。
关掉发动机，{听}，外面有东西。
""",
}
"""The word in braces is the one that a take lacks."""
