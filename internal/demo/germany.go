// SPDX-License-Identifier: EUPL-1.2

package demo

// land is one of the sixteen Länder; ars are the first two digits of its regional key, districts how many districts and cities that are one it has.
type land struct {
	ars, slug, name string
	districts       int
}

var lands = []land{
	{"01", "sh", "Schleswig-Holstein", 15},
	{"02", "hh", "Hamburg", 1},
	{"03", "ni", "Niedersachsen", 45},
	{"04", "hb", "Bremen", 2},
	{"05", "nw", "Nordrhein-Westfalen", 53},
	{"06", "he", "Hessen", 26},
	{"07", "rp", "Rheinland-Pfalz", 36},
	{"08", "bw", "Baden-Württemberg", 44},
	{"09", "by", "Bayern", 96},
	{"10", "sl", "Saarland", 6},
	{"11", "be", "Berlin", 1},
	{"12", "bb", "Brandenburg", 18},
	{"13", "mv", "Mecklenburg-Vorpommern", 8},
	{"14", "sn", "Sachsen", 13},
	{"15", "st", "Sachsen-Anhalt", 14},
	{"16", "th", "Thüringen", 22},
}

// district is a district (Kreis) or a city that is one; ars are the first five digits of its regional key.
type district struct{ ars, slug, name string }

var districts = []district{
	{"01001", "kreis-flensburg", "Kreisfreie Stadt Flensburg"},
	{"01002", "kreis-kiel", "Kreisfreie Stadt Kiel"},
	{"01003", "kreis-luebeck", "Kreisfreie Stadt Lübeck"},
	{"01004", "kreis-neumuenster", "Kreisfreie Stadt Neumünster"},
	{"01051", "kreis-dithmarschen", "Kreis Dithmarschen"},
	{"01053", "kreis-herzogtum-lauenburg", "Kreis Herzogtum Lauenburg"},
	{"01054", "kreis-nordfriesland", "Kreis Nordfriesland"},
	{"01055", "kreis-ostholstein", "Kreis Ostholstein"},
	{"01056", "kreis-pinneberg", "Kreis Pinneberg"},
	{"01057", "kreis-ploen", "Kreis Plön"},
	{"01058", "kreis-rendsburg-eckernfoerde", "Kreis Rendsburg-Eckernförde"},
	{"01059", "kreis-schleswig-flensburg", "Kreis Schleswig-Flensburg"},
	{"01060", "kreis-segeberg", "Kreis Segeberg"},
	{"01061", "kreis-steinburg", "Kreis Steinburg"},
	{"01062", "kreis-stormarn", "Kreis Stormarn"},
	{"03241", "region-hannover", "Region Hannover"},
	{"04011", "kreis-bremen", "Stadtgemeinde Bremen"},
	{"05111", "kreis-duesseldorf", "Kreisfreie Stadt Düsseldorf"},
	{"06414", "kreis-wiesbaden", "Kreisfreie Stadt Wiesbaden"},
	{"07315", "kreis-mainz", "Kreisfreie Stadt Mainz"},
	{"08111", "kreis-stuttgart", "Stadtkreis Stuttgart"},
	{"09162", "kreis-muenchen", "Kreisfreie Stadt München"},
	{"09564", "kreis-nuernberg", "Kreisfreie Stadt Nürnberg"},
	{"10041", "regionalverband-saarbruecken", "Regionalverband Saarbrücken"},
	{"12054", "kreis-potsdam", "Kreisfreie Stadt Potsdam"},
	{"13004", "kreis-schwerin", "Kreisfreie Stadt Schwerin"},
	{"14612", "kreis-dresden", "Kreisfreie Stadt Dresden"},
	{"15003", "kreis-magdeburg", "Kreisfreie Stadt Magdeburg"},
	{"16051", "kreis-erfurt", "Kreisfreie Stadt Erfurt"},
}

// tasks says which services an authority carries out.
type tasks int

const (
	ofCity         tasks = iota // a city that is a district: everything that is done locally
	ofCounty                    // a Kreis: its own tasks, and those of the municipalities that are no tenants of the demo
	ofMunicipality              // what a municipality within a Kreis does
	ofLand                      // an office of the Land
)

// office is an authority that works on cases: key is its regional key (ARS) without the zeros at the end, which is its territory, too.
type office struct {
	key, slug, name string
	tasks           tasks
	zip, town       string // where its people live
}

// offices begin with those that have been connected longest and get most; the rest follows the regional key.
var offices = []office{
	{"01002", "kiel", "Landeshauptstadt Kiel", ofCity, "24103", "Kiel"},
	{"01003", "luebeck", "Hansestadt Lübeck", ofCity, "23552", "Lübeck"},
	{"09162", "muenchen", "Landeshauptstadt München", ofCity, "80331", "München"},
	{"01001", "flensburg", "Stadt Flensburg", ofCity, "24937", "Flensburg"},
	{"01004", "neumuenster", "Stadt Neumünster", ofCity, "24534", "Neumünster"},
	{"01", "landesamt-soziale-dienste", "Landesamt für soziale Dienste Schleswig-Holstein", ofLand, "24534", "Neumünster"},
	{"01051", "dithmarschen", "Kreisverwaltung Dithmarschen", ofCounty, "25746", "Heide"},
	{"01053", "herzogtum-lauenburg", "Kreisverwaltung Herzogtum Lauenburg", ofCounty, "23909", "Ratzeburg"},
	{"01054", "nordfriesland", "Kreisverwaltung Nordfriesland", ofCounty, "25813", "Husum"},
	{"01055", "ostholstein", "Kreisverwaltung Ostholstein", ofCounty, "23701", "Eutin"},
	{"010550001001", "ahrensboek", "Gemeinde Ahrensbök", ofMunicipality, "23623", "Ahrensbök"},
	{"010550004004", "bad-schwartau", "Stadt Bad Schwartau", ofMunicipality, "23611", "Bad Schwartau"},
	{"010550012012", "eutin", "Stadt Eutin", ofMunicipality, "23701", "Eutin"},
	{"010550016016", "groemitz", "Gemeinde Grömitz", ofMunicipality, "23743", "Grömitz"},
	{"010550021021", "heiligenhafen", "Stadt Heiligenhafen", ofMunicipality, "23774", "Heiligenhafen"},
	{"010550028028", "malente", "Gemeinde Malente", ofMunicipality, "23714", "Malente"},
	{"010550032032", "neustadt-in-holstein", "Stadt Neustadt in Holstein", ofMunicipality, "23730", "Neustadt in Holstein"},
	{"010550040040", "stockelsdorf", "Gemeinde Stockelsdorf", ofMunicipality, "23617", "Stockelsdorf"},
	{"010550042042", "timmendorfer-strand", "Gemeinde Timmendorfer Strand", ofMunicipality, "23669", "Timmendorfer Strand"},
	{"010550044044", "scharbeutz", "Gemeinde Scharbeutz", ofMunicipality, "23683", "Scharbeutz"},
	{"010550046046", "fehmarn", "Stadt Fehmarn", ofMunicipality, "23769", "Fehmarn"},
	{"01056", "pinneberg", "Kreisverwaltung Pinneberg", ofCounty, "25335", "Elmshorn"},
	{"01057", "ploen", "Kreisverwaltung Plön", ofCounty, "24306", "Plön"},
	{"01058", "rendsburg-eckernfoerde", "Kreisverwaltung Rendsburg-Eckernförde", ofCounty, "24768", "Rendsburg"},
	{"01059", "schleswig-flensburg", "Kreisverwaltung Schleswig-Flensburg", ofCounty, "24837", "Schleswig"},
	{"01060", "segeberg", "Kreisverwaltung Segeberg", ofCounty, "23795", "Bad Segeberg"},
	{"01061", "steinburg", "Kreisverwaltung Steinburg", ofCounty, "25524", "Itzehoe"},
	{"01062", "stormarn", "Kreisverwaltung Stormarn", ofCounty, "23843", "Bad Oldesloe"},
	{"02", "hamburg-mitte", "Bezirksamt Hamburg-Mitte", ofCity, "20095", "Hamburg"},
	{"032410001001", "hannover", "Landeshauptstadt Hannover", ofCity, "30159", "Hannover"},
	{"04011", "bremen", "Bürgeramt Bremen", ofCity, "28195", "Bremen"},
	{"05111", "duesseldorf", "Landeshauptstadt Düsseldorf", ofCity, "40210", "Düsseldorf"},
	{"06414", "wiesbaden", "Landeshauptstadt Wiesbaden", ofCity, "65183", "Wiesbaden"},
	{"07315", "mainz", "Landeshauptstadt Mainz", ofCity, "55116", "Mainz"},
	{"08111", "stuttgart", "Landeshauptstadt Stuttgart", ofCity, "70173", "Stuttgart"},
	{"09564", "nuernberg", "Stadt Nürnberg", ofCity, "90402", "Nürnberg"},
	{"100410100100", "saarbruecken", "Landeshauptstadt Saarbrücken", ofCity, "66111", "Saarbrücken"},
	{"11", "berlin-mitte", "Bezirksamt Mitte von Berlin", ofCity, "10178", "Berlin"},
	{"12054", "potsdam", "Landeshauptstadt Potsdam", ofCity, "14467", "Potsdam"},
	{"13004", "schwerin", "Landeshauptstadt Schwerin", ofCity, "19053", "Schwerin"},
	{"14612", "dresden", "Landeshauptstadt Dresden", ofCity, "01067", "Dresden"},
	{"15003", "magdeburg", "Landeshauptstadt Magdeburg", ofCity, "39104", "Magdeburg"},
	{"16051", "erfurt", "Landeshauptstadt Erfurt", ofCity, "99084", "Erfurt"},
}

// part is an organisational unit that every authority has; the two levels show in the number.
type part struct{ number, above, name string }

var parts = []part{
	{"20", "", "Amt für Finanzen"},
	{"20.1", "20", "Steueramt"},
	{"32", "", "Bürger- und Ordnungsamt"},
	{"32.1", "32", "Bürgeramt"},
	{"32.2", "32", "Gewerbeamt"},
	{"32.3", "32", "Straßenverkehrsbehörde"},
	{"32.4", "32", "Standesamt"},
	{"50", "", "Amt für Soziales und Familie"},
	{"50.1", "50", "Wohngeldstelle"},
	{"50.2", "50", "Unterhaltsvorschusskasse"},
	{"50.3", "50", "Elterngeldstelle"},
	{"60", "", "Bauamt"},
	{"60.1", "60", "Bauaufsicht"},
	{"60.2", "60", "Grünflächenamt"},
}
