// SPDX-License-Identifier: EUPL-1.2

package charter

import "errors"

// Why a document or a key is refused. Each check has one of its own, so that a refusal for the wrong reason does not pass a test; none repeats what was read.
var (
	// ErrMalformed is a document that has not the form described here.
	ErrMalformed = errors.New("charter: the document has not the form expected")
	// ErrAlgorithm is a signature by anything but EdDSA over Ed25519 or ES256 over P-256, or one that does not fit its key.
	ErrAlgorithm = errors.New("charter: the algorithm is not allowed")
	// ErrType is a document of another kind (typ).
	ErrType = errors.New("charter: the document is of another type")
	// ErrSignature is a signature that does not hold. One in a document is enough to refuse it.
	ErrSignature = errors.New("charter: a signature does not hold")
	// ErrDoubled is a key or a member that signs, or is named, twice.
	ErrDoubled = errors.New("charter: something stands there twice")
	// ErrStranger is a signature of whom it is not asked of.
	ErrStranger = errors.New("charter: somebody signed who has no say in it")
	// ErrQuorum is that too few have signed.
	ErrQuorum = errors.New("charter: too few have signed")
	// ErrPossession is a new key that did not sign the charter that brings it.
	ErrPossession = errors.New("charter: a new key did not sign")
	// ErrRules is a charter whose own rules could be kept by two different successors, or by nobody.
	ErrRules = errors.New("charter: the rules could not decide")

	// ErrRollback is a version that is older than what is known.
	ErrRollback = errors.New("charter: there is a newer version")
	// ErrGap is a version whose forerunner is not known.
	ErrGap = errors.New("charter: a version in between is missing")
	// ErrPrevious is a version that does not follow the one that is known.
	ErrPrevious = errors.New("charter: it does not follow the version before")
	// ErrForked is that two valid documents of one version are known. Neither is believed.
	ErrForked = errors.New("charter: there are two documents of one version")
	// ErrPinned is a first charter other than the one that was agreed on outside the system.
	ErrPinned = errors.New("charter: this is not the first charter that was agreed on")

	// ErrUnknown is a house that no member vouches for, or a key that it does not have.
	ErrUnknown = errors.New("charter: nobody vouches for it")
	// ErrExpired is what was good once: a voucher beyond its time of grace, or a key beyond its last day.
	ErrExpired = errors.New("charter: it has expired")
	// ErrSuspended is a house or a member of which nothing is believed since that moment.
	ErrSuspended = errors.New("charter: it is suspended")
	// ErrRevoked is a key that somebody else may have.
	ErrRevoked = errors.New("charter: the key was revoked")
	// ErrPaths is a house that two members vouch for, or that names another superior than the one who does.
	ErrPaths = errors.New("charter: more than one path leads to it")
	// ErrTooLong is a house that would vouch for another one.
	ErrTooLong = errors.New("charter: the path to it is too long")
	// ErrPolicy is a house that says more of itself than its member allows.
	ErrPolicy = errors.New("charter: its member does not allow what it says of itself")
)
