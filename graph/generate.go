// SPDX-License-Identifier: EUPL-1.2

package graph

//go:generate go run gqlgenc.go
