// SPDX-License-Identifier: EUPL-1.2

package demo

// What the people of the demo are called and where they live. Any likeness with somebody is by chance.
var (
	firstNames = []string{
		"Ada", "Amir", "Anke", "Aylin", "Ben", "Bente", "Birgit", "Carl", "Clara", "Deniz", "Elena", "Emil", "Femke", "Finn", "Frieda",
		"Hannes", "Ida", "Ilse", "Jannik", "Jette", "Jonas", "Karin", "Kaya", "Lasse", "Leonie", "Levent", "Lina", "Malte", "Marta", "Mehmet",
		"Mia", "Milan", "Nele", "Nora", "Ole", "Olga", "Paul", "Pia", "Rieke", "Samir", "Selma", "Sönke", "Tarek", "Theda", "Uwe", "Vera",
		"Wiebke", "Yara", "Zoe",
	}
	lastNames = []string{
		"Ahrens", "Baumgart", "Behrens", "Brodersen", "Çelik", "Carstensen", "Dahlmann", "Ehlers", "Feddersen", "Friedrichsen", "Grünwald",
		"Hagedorn", "Hinrichs", "Ibsen", "Jessen", "Kowalczyk", "Kröger", "Lorenzen", "Lüttjohann", "Mahler", "Nissen", "Nowak", "Öztürk",
		"Paulsen", "Petersen", "Quast", "Rathje", "Reimers", "Schlüter", "Sievers", "Sommerfeld", "Stoltenberg", "Thomsen", "Tiedemann",
		"Ulrich", "Vollstedt", "Wendt", "Wulff", "Yıldız", "Ziegler",
	}
	streets = []string{
		"Ahornweg", "Alte Gärtnerei", "Am Deich", "Bahnhofstraße", "Birkenallee", "Dorfstraße", "Eichenweg", "Fliederweg", "Gartenstraße",
		"Hafenstraße", "Kastanienallee", "Kirchenweg", "Lindenstraße", "Mühlenweg", "Ringstraße", "Schulstraße", "Seeweg", "Wiesengrund",
	}
	trades = []string{
		"Bäckerei", "Buchhandlung", "Fahrradwerkstatt", "Gärtnerei", "Gebäudereinigung", "Imbiss", "IT-Beratung", "Malerbetrieb", "Spedition",
		"Tischlerei", "Übersetzungsbüro", "Weinhandel",
	}
	quarters = []string{"Nord", "Süd", "Altstadt", "Hafen", "Bahnhof", "Schlossgarten"}
	breeds   = []string{"Mischling", "Labrador", "Dackel", "Schäferhund", "Pudel", "Terrier"}
	trees    = []string{"Birke", "Buche", "Eiche", "Fichte", "Kiefer", "Linde"}
)

// What is said between the authority and somebody who applies.
var (
	questions = []exchange{
		{"Bitte um einen Nachweis", "Guten Tag,\n\nfür Ihren Antrag fehlt noch ein aktueller Nachweis über Ihre Anschrift. Bitte reichen Sie ihn nach.",
			"Guten Tag,\n\nden Nachweis habe ich heute nachgereicht. Bitte sagen Sie mir, falls noch etwas fehlt."},
		{"Rückfrage zu Ihren Angaben", "Guten Tag,\n\nzwei Ihrer Angaben passen nicht zueinander. Bitte bestätigen Sie, ab wann der Antrag gelten soll.",
			"Guten Tag,\n\nes gilt der Erste des nächsten Monats, das andere Datum war ein Versehen."},
		{"Unterschrift fehlt", "Guten Tag,\n\nauf dem Formular fehlt die Unterschrift der zweiten Person. Bitte senden Sie uns die Seite noch einmal.",
			"Guten Tag,\n\ndie Seite ist nun von uns beiden unterschrieben."},
		{"Frage zum Umfang", "Guten Tag,\n\nbitte beschreiben Sie kurz, welchen Umfang das Vorhaben hat, damit wir es richtig einordnen können.",
			"Guten Tag,\n\nes bleibt bei dem, was im Antrag steht; eine Erweiterung ist nicht geplant."},
	}
	receipt = exchange{"Ihr Antrag ist eingegangen", "Guten Tag,\n\nIhr Antrag ist bei uns eingegangen. Sie hören von uns, sobald wir ihn geprüft haben.", ""}
	notices = []exchange{
		{"Zwischenstand", "Guten Tag,\n\nIhre Unterlagen sind vollständig. Wir rechnen mit einer Entscheidung in den nächsten Tagen.", "Vielen Dank für die Auskunft."},
		{"Terminvorschlag", "Guten Tag,\n\nfür Rückfragen erreichen Sie uns dienstags und donnerstags. Ein Termin ist nicht nötig.", "Danke, ich melde mich bei Bedarf."},
	}
	notes = []string{
		"Unterlagen geprüft, vollständig.", "Telefonisch nicht erreicht, morgen noch einmal versuchen.", "Mit dem Kollegen abgestimmt, keine Bedenken.",
		"Gebühr ist eingegangen.", "Bitte vor dem Bescheid die Satzung prüfen.",
	}
	reminders      = []string{"Antwort prüfen", "Stellungnahme anfordern", "Gebühreneingang prüfen", "Nachweis anmahnen"}
	rejections     = []string{"Die Voraussetzungen liegen nach den vorgelegten Unterlagen nicht vor.", "Der Nachweis wurde trotz Nachfrage nicht vorgelegt."}
	partly         = []string{"Dem Antrag wird nur für den nachgewiesenen Zeitraum entsprochen."}
	putAway        = []string{"Doppelt eingegangen", "Kein Antrag, sondern eine Anfrage", "Unsinnige Angaben"}
	takenUpAgain   = []string{"Neue Unterlagen wurden nachgereicht", "Der Bescheid enthielt einen Schreibfehler"}
	elsewhere      = []string{"Die Leistung gehört in die Zuständigkeit der anderen Behörde", "Wohnsitz liegt im Nachbargebiet"}
	wronglyPutAway = []string{"Es war doch ein Antrag"}
)

// exchange is a message with the answer to it.
type exchange struct{ subject, body, answer string }
