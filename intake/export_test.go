// SPDX-License-Identifier: EUPL-1.2

package intake

import "context"

// WithoutRegister is a desk that never asks whether something was delivered before, for the twin of what the register guarantees.
func (d *Desk) WithoutRegister() *Desk {
	forgetful := *d
	forgetful.look = func(context.Context, *arrival) (receipt, error) { return receipt{}, nil }
	return &forgetful
}

// What tests look at.
var (
	FileName   = fileName
	WhoApplies = whoApplies
)

// ReadFormData gives what the part formData says, and its canonical form.
func ReadFormData(document []byte) (Application, []byte, error) {
	f, err := readFormData(document)
	if err != nil {
		return Application{}, nil, err
	}
	return f.Application, f.canonical, nil
}
