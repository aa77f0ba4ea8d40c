"""Lines of film dialogue in languages other than English."""

from __future__ import annotations

from collections.abc import Mapping

_GERMAN = """
Ich habe dir gesagt, dass die Fähre um sieben Uhr ablegt.
Seit dem Sturm hat niemand mehr den Kapitän gesehen.
Stell die Lampe ans Fenster, damit sie den Weg nach Hause findet.
Wenn die Brücke gesperrt ist, müssen wir zu Fuß durch den Fluss.
Du hast versprochen, dass es unser letzter Winter in den Bergen wird.
Der Arzt sagt, er kann noch vor dem Sommer wieder laufen.
Wir hätten auf deine Mutter hören sollen, als sie uns gewarnt hat.
Auf dem Küchentisch liegt ein Brief, und darauf steht dein Name.
Wie oft muss ich dich noch bitten, das Gartentor abzuschließen?
Sie schloss leise die Tür und sprach nie wieder davon.
Nimm die zweite Straße links, gleich hinter dem alten Markt.
Er war der Einzige, der die Namen aller Kinder noch wusste.
Ich warte schon fast drei Stunden auf diesen Zug.
Glaubst du wirklich, dass das Geld noch in diesem Haus ist?
Mein Bruder hat das Boot von einem Fischer im Nachbardorf gekauft.
Sie werden vor Sonnenaufgang hier sein, also packen wir lieber.
Das Museum schließt heute früher, weil es so stark regnet.
Als ich jung war, stand in diesem ganzen Tal nur Wald.
Bitte ruf die Kinder herein, bevor es dunkel wird.
Das Pferd wollte nicht weiter, egal was wir ihm zu fressen gaben.
Jeden Abend spielt er dasselbe Lied auf seinem kaputten Klavier.
Ich habe keine Angst vor dem Wasser, nur vor dem, was darunter ist.
Dein Vater war ein mutiger Mann, aber er hat den Falschen vertraut.
Lass deinen Mantel im Flur und komm mit mir nach oben.
Die ganze Stadt schlief noch, als die ersten Glocken läuteten.
Wir haben die fehlenden Seiten unter dem Boden der Bibliothek gefunden.
Er bezahlte die Karten mit einer Handvoll fremder Münzen.
Man kann kein Haus auf Sand bauen und hoffen, dass es steht.
Mach das Fenster ein wenig auf, der Rauch brennt in den Augen.
Als wir uns zuletzt sahen, wolltest du gerade das Land verlassen.
In dieser Stadt gibt es Dinge, über die niemand sprechen will.
Ich werde nie vergessen, wie er schaute, als er die Kiste öffnete.
Die Soldaten durchsuchten jedes Zimmer, aber nicht den Keller.
Bring mir ein Glas kaltes Wasser und etwas zum Schreiben.
Warum sollte jemand ein gutes Fahrrad in den Fluss werfen?
Der Richter hörte beiden zu und schüttelte dann den Kopf.
Unsere Nachbarn sind im Frühling weggezogen, ohne sich zu verabschieden.
Er ließ die Schlüssel in den Schnee fallen und fand sie nicht mehr.
Das Brot ist noch warm, also lass es ruhen, bevor du es schneidest.
Mitten in der Nacht hörte ich jemanden auf dem Dach gehen.
Sie möchte wissen, ob das Bild echt ist oder eine Kopie.
Unterschreibe nie ein Papier, das du nicht gelesen hast.
Der Weg zur Burg ist steil, aber die Aussicht lohnt sich.
Großmutter bewahrte alle seine Briefe in einer blauen Truhe auf.
Mach den Motor aus und hör zu, da draußen ist etwas.
Die Lehrerin stellte eine Frage, und plötzlich war die Klasse still.
Wir brauchen mehr Decken, wenn die Heizung nicht funktioniert.
Ein Fremder kam an die Tür und bat um einen Platz zum Schlafen.
Er spricht fünf Sprachen, aber er kann kein Ei kochen.
Das Flugzeug kreiste zweimal über dem See, bevor es landete.
Ihre Hände zitterten so sehr, dass sie den Tee verschüttete.
Man sagt, dass die Insel verschwindet, sobald der Nebel kommt.
Sprich leise, die Wände in diesem Hotel sind sehr dünn.
Ich habe meinen Schirm schon zum dritten Mal im Bus vergessen.
Du siehst genauso aus wie dein Onkel in deinem Alter.
Jemand hat die Stühle verrückt, seit wir gestern hier waren.
Warte auf mein Zeichen, und dann lauf, so schnell du kannst.
Die Uhr am Kirchturm ist schon seit Jahren kaputt.
Er schnitt das Seil durch und ließ das Boot treiben.
Der Garten sieht wunderschön aus, jetzt wo die Rosen blühen.
"""
_SPANISH = """
Te dije que el barco sale a las siete, y ni un minuto más tarde.
Nadie ha visto al capitán desde que empezó la tormenta.
Pon la lámpara junto a la ventana para que encuentre el camino.
Si el puente está cerrado, tenemos que cruzar el río a pie.
Me prometiste que este sería nuestro último invierno en la montaña.
El médico dice que podrá caminar antes de que acabe el verano.
Deberíamos haber escuchado a tu madre cuando nos avisó.
Hay una carta en la mesa de la cocina, y lleva tu nombre.
Cuántas veces tengo que pedirte que cierres la puerta del jardín.
Ella cerró la puerta en silencio y nunca volvió a hablar de ello.
Toma la segunda calle a la izquierda, justo detrás del mercado viejo.
Era el único que recordaba los nombres de todos los niños.
Llevo casi tres horas esperando este tren.
De verdad crees que el dinero sigue en aquella casa.
Mi hermano compró la barca a un pescador del pueblo vecino.
Estarán aquí antes del amanecer, así que empecemos a recoger.
El museo cierra temprano hoy por culpa de la lluvia.
Cuando yo era joven, todo este valle estaba cubierto de árboles.
Por favor, diles a los niños que entren antes de que oscurezca.
El caballo no quiso moverse, aunque le dimos de comer.
Cada noche toca la misma canción en su piano roto.
No tengo miedo del agua, tengo miedo de lo que hay debajo.
Tu padre era un hombre valiente, pero confió en la gente equivocada.
Deja tu abrigo en la entrada y sube conmigo.
Toda la ciudad dormía cuando empezaron a sonar las campanas.
Encontramos las páginas perdidas bajo el suelo de la biblioteca.
Pagó las entradas con un puñado de monedas extranjeras.
No se puede construir una casa sobre arena y esperar que aguante.
Abre un poco la ventana, el humo me hace daño en los ojos.
La última vez que nos vimos, estabas a punto de dejar el país.
Hay cosas en este pueblo de las que nadie quiere hablar.
Nunca olvidaré la cara que puso cuando abrió la caja.
Los soldados buscaron en todas las habitaciones, pero no en el sótano.
Tráeme un vaso de agua fría y algo para escribir.
Por qué tiraría alguien una bicicleta tan buena al río.
El juez escuchó a los dos y luego negó con la cabeza.
Nuestros vecinos se mudaron en primavera sin decir adiós.
Se le cayeron las llaves en la nieve y no pudo encontrarlas.
El pan todavía está caliente, déjalo reposar antes de cortarlo.
Oí a alguien caminando por el tejado en mitad de la noche.
Ella quiere saber si el cuadro es auténtico o una copia.
Nunca firmes un papel que no hayas leído.
El camino del castillo es duro, pero la vista merece la pena.
La abuela guardaba todas sus cartas en un baúl azul.
Apaga el motor y escucha, hay algo ahí fuera.
La profesora hizo una pregunta, y de pronto la clase calló.
Vamos a necesitar más mantas si la calefacción no funciona.
Un desconocido llamó a la puerta y pidió un sitio donde dormir.
Habla cinco idiomas, pero no sabe cocinar un huevo.
El avión dio dos vueltas sobre el lago antes de aterrizar.
Le temblaban tanto las manos que derramó el té.
Dicen que la isla desaparece cuando llega la niebla.
Baja la voz, las paredes de este hotel son muy finas.
He olvidado mi paraguas en el autobús por tercera vez este mes.
Te pareces mucho a tu tío cuando tenía tu edad.
Alguien ha movido las sillas desde que estuvimos aquí ayer.
Espera mi señal, y luego corre todo lo que puedas.
El reloj de la torre lleva años sin funcionar.
Cortó la cuerda con un cuchillo y dejó que la barca se alejara.
El jardín está precioso ahora que han florecido las rosas.
"""
LINES: Mapping[str, tuple[str, ...]] = {
    language: tuple(lines.strip().splitlines())
    for language, lines in {"de": _GERMAN, "es": _SPANISH}.items()
}
"""Sixty lines of 7 to 15 words each, by language."""
