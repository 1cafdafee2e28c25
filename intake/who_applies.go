// SPDX-License-Identifier: EUPL-1.2

package intake

import (
	"strings"

	"github.com/ozg-cloud/platform/ent/applicant"
	"github.com/ozg-cloud/platform/ent/schema"
)

// nobody is the name of an applicant whose form has none.
const nobody = "Unbekannt"

// whoApplies looks for the applicant in a form, as well as can be: a form server delivers fields and does not say which one is the name. The first
// filled text field counts whose name is, or ends in, vorname, nachname or firma, and the first that is called name.
// First name and family name make a person, else name does, else firma makes a legal person.
func whoApplies(form []schema.FormItem) Person {
	var first, last, whole, company string
	var look func([]schema.FormItem)
	look = func(items []schema.FormItem) {
		for _, f := range items {
			if f.String != nil {
				called, value := strings.ToLower(f.Name), strings.TrimSpace(*f.String)
				switch {
				case strings.HasSuffix(called, "vorname"):
					keepFirst(&first, value)
				case strings.HasSuffix(called, "nachname"):
					keepFirst(&last, value)
				case strings.HasSuffix(called, "firma"):
					keepFirst(&company, value)
				case called == "name":
					keepFirst(&whole, value)
				}
			}
			look(f.Items)
		}
	}
	look(form)
	p := Person{Kind: string(applicant.KindNATURAL_PERSON)}
	switch {
	case last != "":
		p.Name = strings.TrimSpace(first + " " + last)
	case whole != "":
		p.Name = whole
	case company != "":
		p.Kind, p.Name = string(applicant.KindLEGAL_PERSON), company
	case first != "":
		p.Name = first
	default:
		p.Name = nobody
	}
	if name := []rune(p.Name); len(name) > longestName {
		p.Name = string(name[:longestName])
	}
	return p
}

func keepFirst(have *string, value string) {
	if *have == "" {
		*have = value
	}
}
