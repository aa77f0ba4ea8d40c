"""Words around Roman numerals by language: titles, rulers, parts of works. No source lists them."""

from __future__ import annotations

TITLES: dict[str, tuple[str, str]] = {
    "en": ("King Pope Emperor Tsar Czar Kaiser Prince Sultan Pharaoh Shah Duke Archduke Patriarch "
           "Lord", "Queen Empress Princess Tsarina Duchess"),
    "de": ("König Königs Kaiser Kaisers Papst Papstes Zar Zaren Sultan Prinz Prinzen Fürst Herzog "
           "Kurfürst Pharao", "Königin Kaiserin Zarin Prinzessin Fürstin"),
    "fr": ("roi pape empereur tsar sultan pharaon prince duc", "reine impératrice tsarine"),
    "es": ("rey papa emperador zar sultán faraón príncipe duque don",
           "reina emperatriz zarina princesa"),
    "it": ("re papa imperatore zar sultano faraone principe duca",
           "regina imperatrice zarina principessa"),
    "pt": ("rei papa imperador czar sultão faraó príncipe duque dom",
           "rainha imperatriz czarina princesa dona"),
    "ca": ("rei papa emperador tsar sultà faraó príncep", "reina emperadriu princesa"),
    "nl": ("koning paus keizer tsaar sultan farao prins hertog",
           "koningin keizerin tsarina prinses"),
    "sv": ("kung kungen kejsare kejsaren påve påven tsar", "drottning drottningen kejsarinnan"),
    "da": ("kong kongen kejser pave paven zar", "dronning dronningen kejserinde"),
    "no": ("kong kongen keiser pave paven tsar", "dronning dronningen keiserinne"),
}  # fmt: skip
"""Titles of men and of women; a numeral after a titled name is an ordinal."""

NAMES: dict[str, tuple[str, str]] = {
    "en": (
        "Henry Edward George Charles James William Richard John Louis Philip Francis Frederick "
        "Nicholas Alexander Peter Ivan Paul Benedict Pius Leo Gregory Innocent Clement Urban "
        "Boniface Julius Sixtus Napoleon Leopold Ferdinand Joseph Albert Gustav Christian Haakon "
        "Harald Olaf Ramses Ramesses Ptolemy Darius Xerxes Constantine Theodosius Mehmed Murad "
        "Selim Mahmud Wilhelm Otto Ludwig Rudolf Maximilian Kenneth Robert Hadrian Adrian "
        "Celestine Honorius Juan Alfonso Carlos Felipe Pedro Umberto Baldwin Philippe Thutmose "
        "Amenhotep Thomas Michael David Arthur Andrew Daniel Samuel",
        "Elizabeth Mary Anne Catherine Margaret Margrethe Victoria Isabella Cleopatra Wilhelmina "
        "Maria",
    ),
    "de": (
        "Heinrich Ludwig Wilhelm Friedrich Karl Otto Georg Eduard Jakob Richard Johann Johannes "
        "Paul Benedikt Pius Leo Gregor Innozenz Clemens Urban Bonifatius Julius Sixtus Napoleon "
        "Leopold Ferdinand Joseph Franz Philipp Alexander Nikolaus Peter Iwan Albert Gustav "
        "Christian Harald Rudolf Maximilian Sigismund Konrad Ramses Mehmed Alfons August Hadrian",
        "Elisabeth Katharina Maria Margarethe Margrethe Isabella Anna Kleopatra Beatrix",
    ),
    "fr": (
        "Louis Charles Henri François Philippe Jean Jean-Paul Napoléon Édouard George Georges "
        "Guillaume Pie Léon Benoît Grégoire Innocent Clément Urbain Boniface Jules Sixte Léopold "
        "Albert Baudouin Nicolas Alexandre Pierre Ivan Paul Frédéric Ferdinand Jacques Richard",
        "Élisabeth Elisabeth Isabelle Catherine Marie Anne Marguerite Cléopâtre",
    ),
    "es": (
        "Felipe Carlos Alfonso Fernando Juan Pablo Luis Enrique Jorge Eduardo Jacobo Jaime "
        "Guillermo Ricardo Pío León Benedicto Gregorio Inocencio Clemente Urbano Bonifacio Julio "
        "Sixto Napoleón Leopoldo Francisco José Federico Nicolás Alejandro Pedro Iván Sancho "
        "Ramiro Ramsés Alberto Gustavo Maximiliano",
        "Isabel Catalina María Margarita Juana Ana Cleopatra",
    ),
    "it": (
        "Giovanni Paolo Pio Leone Benedetto Gregorio Innocenzo Clemente Urbano Bonifacio Giulio "
        "Sisto Vittorio Emanuele Umberto Carlo Enrico Luigi Filippo Ferdinando Federico Francesco "
        "Giorgio Edoardo Giacomo Guglielmo Riccardo Napoleone Leopoldo Nicola Alessandro Pietro "
        "Ivan Amedeo Ottone Ramses Alberto Celestino Adriano Cosimo Lorenzo",
        "Elisabetta Caterina Maria Margherita Isabella Giovanna Anna Cleopatra",
    ),
    "pt": (
        "Pedro João Paulo Manuel Afonso Sancho Dinis Fernando Duarte Sebastião Filipe Henrique "
        "José Luís Carlos Jorge Eduardo Guilherme Ricardo Pio Leão Bento Gregório Inocêncio "
        "Clemente Urbano Bonifácio Júlio Sisto Napoleão Leopoldo Francisco Frederico Nicolau "
        "Alexandre Ivan Ramsés Alberto Miguel",
        "Isabel Maria Catarina Elizabeth Margarida Joana Ana Cleópatra",
    ),
    "ca": (
        "Jaume Pere Joan Pau Alfons Ferran Carles Felip Lluís Enric Jordi Martí Pius Benet "
        "Guillem Ramon Napoleó Alexandre Nicolau",
        "Isabel Caterina Maria Elisabet",
    ),
    "nl": (
        "Willem Lodewijk Karel Filips Hendrik Frederik Johannes Paulus Benedictus Pius Leo "
        "Gregorius Napoleon Leopold Albert Boudewijn Nicolaas Alexander Peter Iwan George Eduard "
        "Jacobus Frans Jozef Floris Ramses Gustaaf Christiaan",
        "Elizabeth Catharina Maria Isabella Margaretha Cleopatra",
    ),
    "sv": (
        "Karl Carl Gustav Gustaf Oscar Oskar Erik Johan Henrik Ludvig Fredrik Christian Georg "
        "Edvard Wilhelm Napoleon Nikolaj Alexander Peter Ivan Johannes Paulus Benedictus Pius Leo",
        "Elisabet Elizabeth Katarina Margareta Margrethe Maria",
    ),
    "da": (
        "Christian Frederik Valdemar Erik Knud Svend Hans Karl Gustav Henrik Ludvig Georg Edvard "
        "Wilhelm Napoleon Nikolaj Alexander Peter Ivan Johannes Paul Benedikt Pius Leo",
        "Margrethe Elizabeth Elisabeth Katharina Maria",
    ),
    "no": (
        "Harald Olav Haakon Håkon Magnus Sverre Christian Frederik Karl Carl Gustav Henrik Ludvig "
        "Georg Edvard Wilhelm Napoleon Nikolaj Alexander Peter Ivan Johannes Paul Benedikt Pius "
        "Leo",
        "Margrethe Elizabeth Elisabeth Katarina Maria",
    ),
}
"""Names of rulers, men and women."""

RUSSIAN_MEN = (
    "Пётр Петр Павел Павл Николай Никола Александр Иван Алексей Алексе Генрих Людовик Карл Филипп "
    "Фридрих Вильгельм Георг Эдуард Ричард Наполеон Рамсес Пий Пи Бенедикт Густав Фёдор Федор "
    "Василий Васили Михаил Мехмед Людвиг Франц Леопольд Иоанн Яков Константин Сикст Климент "
    "Урбан Юлий Юли Григорий Григори Иннокентий Иннокенти"
)
RUSSIAN_WOMEN = "Екатерин Елизавет Мари Анн Маргарит Виктори Изабелл"
"""Names of rulers in Russian, without case endings."""

PARTS: dict[str, str] = {
    "en": "Chapter Part Act Scene Book Volume Vol. Section Article Episode Season Phase Stage Type "
          "Class Level Title Canto Appendix Figure Table Round Mark Lesson Unit Schedule Tier "
          "Grade Apollo Gemini Saturn World_War World_war Super_Bowl Vatican",
    "de": "Kapitel Teil Akt Szene Band Buch Artikel Abschnitt Titel Klasse Stufe Phase Folge "
          "Staffel Weltkrieg",
    "fr": "chapitre partie acte scène tome livre article volume titre épisode saison niveau phase "
          "classe section",
    "es": "capítulo parte acto escena libro tomo volumen artículo sección episodio temporada "
          "título fase tipo clase nivel",
    "it": "capitolo parte atto scena libro volume articolo sezione episodio stagione titolo fase "
          "tipo classe livello canto",
    "pt": "capítulo parte ato cena livro tomo volume artigo secção seção episódio temporada título "
          "fase tipo classe nível canto",
    "ca": "capítol part acte escena llibre tom volum article secció episodi temporada",
    "nl": "hoofdstuk deel akte scène boek artikel titel seizoen aflevering fase type klasse niveau",
    "sv": "kapitel del akt scen bok volym artikel säsong avsnitt fas typ klass nivå",
    "da": "kapitel del akt scene bog bind artikel sæson afsnit fase type klasse niveau",
    "no": "kapittel del akt scene bok bind artikkel sesong episode fase type klasse nivå",
}  # fmt: skip
"""Nouns before a Roman numeral that is spoken as a number; ``_`` is a space."""

CENTURIES: dict[str, str] = {
    "es": "siglo siglos",
    "it": "secolo",
    "pt": "século séculos",
    "ca": "segle segles",
}
"""Nouns before an ordinal, which is spoken as after a ruler's name."""

BEFORE: dict[str, dict[str, str]] = {
    "en": dict.fromkeys(("century", "Century", "Olympiad"), "ordinal"),
    "fr": {
        **dict.fromkeys(("siècle", "siècles", "arrondissement"), "ordinal-masculine"),
        **dict.fromkeys(("République", "république"), "ordinal-feminine"),
    },
    "es": {
        **dict.fromkeys(("Guerra", "guerra", "República", "Edición", "edición", "Cumbre"),
                        "ordinal-feminine"),
        **dict.fromkeys(("Congreso", "Festival", "Concilio"), "ordinal-masculine"),
    },
    "it": {
        **dict.fromkeys(("Guerra", "guerra", "edizione"), "ordinal-feminine"),
        **dict.fromkeys(("secolo", "capitolo", "canto", "congresso"), "ordinal-masculine"),
    },
    "pt": {
        **dict.fromkeys(("Guerra", "guerra", "República", "edição"), "ordinal-feminine"),
        **dict.fromkeys(("Congresso", "Festival", "Concílio"), "ordinal-masculine"),
    },
    "ru": {
        **dict.fromkeys(("век", "съезд"), "ordinal-masculine"),
        **dict.fromkeys(("века", "съезда"), "ordinal-masculine-genitive"),
        **dict.fromkeys(("веку", "съезду"), "ordinal-masculine-dative"),
        **dict.fromkeys(("веком", "съездом"), "ordinal-masculine-ablative"),
        **dict.fromkeys(("веке", "съезде"), "ordinal-masculine-locative"),
    },
}  # fmt: skip
"""Nouns after a Roman ordinal, and CLDR's rule set for it."""

BEHIND: dict[str, dict[str, str]] = {
    "en": dict.fromkeys(("th", "st", "nd", "rd"), "ordinal"),
    "fr": {
        **dict.fromkeys(("e", "ème", "eme", "er"), "ordinal-masculine"),
        **dict.fromkeys(("re", "ère"), "ordinal-feminine"),
    },
    "nl": dict.fromkeys(("e", "de", "ste"), "ordinal"),
}
"""Suffixes that make a Roman numeral an ordinal, and CLDR's rule set for it."""
