// SPDX-License-Identifier: EUPL-1.2

package problem

// List is an error of several problems that are told at once. Of finds the first of them.
type List []*Problem

func (l List) Error() string {
	if len(l) == 0 {
		return "no problem"
	}
	return l[0].Error()
}

// Unwrap gives the first problem, by which all others are found, too.
func (l List) Unwrap() error {
	if len(l) == 0 {
		return nil
	}
	return l[0]
}

// Below gives the same problems with a path in front of theirs.
func (l List) Below(path ...string) List {
	out := make(List, len(l))
	for i, p := range l {
		moved := *p
		moved.Path = append(path[:len(path):len(path)], p.Path...)
		out[i] = &moved
	}
	return out
}
