// SPDX-License-Identifier: EUPL-1.2

package reading

import (
	"context"
	"errors"
	"io"
)

// Value is an answer that reading has made for one field: finished JSON. To the printed code of graph it is a scalar;
// in the contract that is served the same name is an object, a connection or an interface.
type Value []byte

// MarshalGQLContext writes the answer.
func (v Value) MarshalGQLContext(_ context.Context, w io.Writer) error {
	if v == nil {
		v = null
	}
	_, err := w.Write(v)
	return err
}

// UnmarshalGQLContext refuses: stored things are never an input.
func (*Value) UnmarshalGQLContext(context.Context, any) error {
	return errors.New("reading: a stored thing is no input")
}

var null = Value("null")
