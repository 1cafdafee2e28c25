// SPDX-License-Identifier: EUPL-1.2

package intake

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent/schema"
	"github.com/ozg-cloud/platform/internal/problem"
)

// formData is the part of this name in a delivery of a Gover form server.
type formData struct {
	Application // its region may be the slug of an authority instead of a regional key
	trust       authz.TrustLevel
	canonical   []byte // the same for every way of writing the same document
}

// storkLevels translates the levels of identity assurance of STORK, which service accounts state.
var storkLevels = map[string]authz.TrustLevel{
	"STORK-QAA-LEVEL-1": authz.Basic,
	"STORK-QAA-LEVEL-2": authz.Basic,
	"STORK-QAA-LEVEL-3": authz.Substantial,
	"STORK-QAA-LEVEL-4": authz.High,
}

// readFormData reads the part and says what is wrong with it, with the path: formData, control, leikaIds, 0. Members of control that are
// not known are of no concern here; unknown ones of the form would be lost, and are refused.
func readFormData(document []byte) (*formData, error) {
	root, err := parse(document, "formData")
	if err != nil {
		return nil, err
	}
	if _, err := needed[map[string]any](root); err != nil {
		return nil, err
	}
	if err := root.only("control", "formData"); err != nil {
		return nil, err
	}
	var f formData
	if err := f.readControl(root.member("control")); err != nil {
		return nil, err
	}
	form := root.member("formData")
	if _, err := needed[[]any](form); err != nil {
		return nil, err
	}
	if f.Form, err = readItems(form); err != nil {
		return nil, err
	}
	if err := checkForm(f.Form, byFormServer, form.path...); err != nil {
		return nil, err
	}
	account := f.Applicant
	f.Applicant = whoApplies(f.Form)
	f.Applicant.MailboxKind, f.Applicant.MailboxAddress = account.MailboxKind, account.MailboxAddress
	if f.canonical, err = json.Marshal(root.value); err != nil {
		return nil, fmt.Errorf("intake: writing a form down: %w", err)
	}
	return &f, nil
}

func (f *formData) readControl(control node) error {
	if _, err := needed[map[string]any](control); err != nil {
		return err
	}
	var err error
	if f.TransactionID, err = needed[string](control.member("transactionId")); err != nil {
		return err
	}
	if err := problem.InFilledText(f.TransactionID, longestTransaction, control.member("transactionId").path...); err != nil {
		return err
	}
	services := control.member("leikaIds")
	keys, err := needed[[]any](services)
	if err != nil {
		return err
	}
	if len(keys) != 1 {
		return problem.New(problem.Invalid, "exactlyOne", services.path...)
	}
	key, _ := keys[0].(string)
	if !leikaKey.MatchString(key) {
		return problem.New(problem.Invalid, "pattern", under(services.path, "0")...)
	}
	f.ServiceKey = key
	if f.RegionalKey, err = needed[string](control.member("zustaendigeStelle")); err != nil {
		return err
	}
	if err := problem.InFilledText(f.RegionalKey, longestName, control.member("zustaendigeStelle").path...); err != nil {
		return err
	}
	return f.readAccount(control.member("serviceKonto"))
}

// readAccount reads the service account (Nutzerkonto) that the applicant signed in with at the form server. Without one the trust level is
// BASIC, and no message can be sent.
func (f *formData) readAccount(account node) error {
	f.trust = authz.Basic
	if _, there, err := optional[map[string]any](account); err != nil || !there {
		return err
	}
	level, _, err := optional[string](account.member("trustLevel"))
	if err != nil {
		return err
	}
	if level != "" {
		if f.trust = storkLevels[level]; f.trust == "" {
			return problem.New(problem.Invalid, "unknownValue", account.member("trustLevel").path...)
		}
	}
	mailbox := account.member("postfachAddress")
	if _, there, err := optional[map[string]any](mailbox); err != nil || !there {
		return err
	}
	address, there, err := optional[string](mailbox.member("identifier"))
	if err != nil || !there || address == "" {
		return err
	}
	if err := problem.InText(address, longestMailbox, mailbox.member("identifier").path...); err != nil {
		return err
	}
	kind, err := needed[string](account.member("type"))
	if err != nil {
		return err
	}
	f.Applicant.MailboxKind, f.Applicant.MailboxAddress = kind, address
	return problem.InFilledText(kind, longestAccount, account.member("type").path...)
}

func readItems(n node) ([]schema.FormItem, error) {
	list, _, err := optional[[]any](n)
	if err != nil {
		return nil, err
	}
	items := make([]schema.FormItem, len(list))
	for i, value := range list {
		if items[i], err = readItem(node{value, under(n.path, strconv.Itoa(i))}); err != nil {
			return nil, err
		}
	}
	return items, nil
}

func readItem(n node) (f schema.FormItem, err error) {
	if _, err := needed[map[string]any](n); err != nil {
		return f, err
	}
	if err := n.only("name", "label", "stringValue", "numberValue", "dateValue", "booleanValue", "formItems"); err != nil {
		return f, err
	}
	if f.Name, err = needed[string](n.member("name")); err != nil {
		return f, err
	}
	if f.Label, _, err = optional[string](n.member("label")); err != nil {
		return f, err
	}
	if f.String, err = pointer[string](n.member("stringValue")); err != nil {
		return f, err
	}
	if f.Date, err = pointer[string](n.member("dateValue")); err != nil {
		return f, err
	}
	if f.Boolean, err = pointer[bool](n.member("booleanValue")); err != nil {
		return f, err
	}
	if f.Number, err = readNumber(n.member("numberValue")); err != nil {
		return f, err
	}
	f.Items, err = readItems(n.member("formItems"))
	return f, err
}

func pointer[T any](n node) (*T, error) {
	value, there, err := optional[T](n)
	if err != nil || !there {
		return nil, err
	}
	return &value, nil
}

func readNumber(n node) (*float64, error) {
	written, there, err := optional[json.Number](n)
	if err != nil || !there {
		return nil, err
	}
	value, err := written.Float64()
	if err != nil {
		return nil, problem.New(problem.Invalid, "range", n.path...)
	}
	return &value, nil
}
