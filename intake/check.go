// SPDX-License-Identifier: EUPL-1.2

package intake

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/ozg-cloud/platform/ent/applicant"
	"github.com/ozg-cloud/platform/ent/schema"
	"github.com/ozg-cloud/platform/internal/problem"
)

// The longest texts, in characters, and the largest forms.
const (
	longestName        = 200
	longestLabel       = 500
	longestValue       = 20_000
	longestDate        = 100 // as delivered
	longestAddress     = 500
	longestAccount     = 100
	longestMailbox     = 200
	longestTransaction = 200

	mostItems   = 500
	deepestItem = 8
)

var (
	leikaKey    = regexp.MustCompile(`^99\d{12}$`)
	regionalKey = regexp.MustCompile(`^\d{12}$`)
)

// check says what is wrong with an application of the portal, with the path into the input of submitApplication.
func (a *Application) check() error {
	if !leikaKey.MatchString(a.ServiceKey) {
		return problem.New(problem.Invalid, "pattern", "input", "serviceKey")
	}
	if !regionalKey.MatchString(a.RegionalKey) {
		return problem.New(problem.Invalid, "pattern", "input", "regionalKey")
	}
	if err := problem.InFilledText(a.TransactionID, longestTransaction, "input", "transactionId"); err != nil {
		return err
	}
	if err := a.Applicant.check("input", "applicant"); err != nil {
		return err
	}
	return checkForm(a.Form, atThePortal, "input", "formData")
}

func (p *Person) check(path ...string) error {
	if err := applicant.KindValidator(applicant.Kind(p.Kind)); err != nil {
		return problem.New(problem.Invalid, "unknownValue", under(path, "kind")...)
	}
	if err := problem.InFilledText(p.Name, longestName, under(path, "name")...); err != nil {
		return err
	}
	if err := problem.InText(p.PostalAddress, longestAddress, under(path, "postalAddress")...); err != nil {
		return err
	}
	if err := problem.InText(p.MailboxKind, longestAccount, under(path, "mailboxKind")...); err != nil {
		return err
	}
	return problem.InText(p.MailboxAddress, longestMailbox, under(path, "mailboxAddress")...)
}

// door is where a form came in. What applicants hand in at the portal follows the contract to the letter; what a form server delivers is
// taken as it is: a field may be empty, and a date may be any text.
type door bool

const (
	atThePortal  door = false
	byFormServer door = true
)

// checkForm says what is wrong with a form, with the path to the item.
func checkForm(items []schema.FormItem, through door, path ...string) error {
	count := 0
	return checkItems(items, through, 1, &count, path)
}

func checkItems(items []schema.FormItem, through door, depth int, count *int, path []string) error {
	if len(items) > 0 && depth > deepestItem {
		return problem.New(problem.Invalid, "tooDeep", path...)
	}
	if *count += len(items); *count > mostItems {
		return problem.New(problem.Invalid, "tooMany", path...)
	}
	for i := range items {
		at := under(path, strconv.Itoa(i))
		if err := checkItem(&items[i], through, at); err != nil {
			return err
		}
		if err := checkItems(items[i].Items, through, depth+1, count, under(at, "formItems")); err != nil {
			return err
		}
	}
	return nil
}

func checkItem(f *schema.FormItem, through door, path []string) error {
	if err := problem.InFilledText(f.Name, longestName, under(path, "name")...); err != nil {
		return err
	}
	if err := problem.InText(f.Label, longestLabel, under(path, "label")...); err != nil {
		return err
	}
	given := 0
	for _, there := range []bool{f.String != nil, f.Number != nil, f.Date != nil, f.Boolean != nil, len(f.Items) > 0} {
		if there {
			given++
		}
	}
	if given > 1 || given == 0 && through == atThePortal {
		return problem.New(problem.Invalid, "exactlyOne", path...)
	}
	switch {
	case f.String != nil:
		return problem.InText(*f.String, longestValue, under(path, "stringValue")...)
	case f.Number != nil && (math.IsInf(*f.Number, 0) || math.IsNaN(*f.Number)):
		return problem.New(problem.Invalid, "range", under(path, "numberValue")...)
	case f.Date != nil:
		return checkDate(*f.Date, through, under(path, "dateValue"))
	}
	return nil
}

func checkDate(value string, through door, path []string) error {
	if through == byFormServer {
		return problem.InText(value, longestDate, path...)
	}
	if _, err := time.Parse(time.DateOnly, value); err != nil {
		return problem.New(problem.Invalid, "pattern", path...)
	}
	return nil
}

// under is a longer path that shares nothing with the one it begins with.
func under(path []string, names ...string) []string { return slices.Concat(path, names) }
