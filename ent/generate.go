// SPDX-License-Identifier: EUPL-1.2

package ent

//go:generate go run -mod=mod entc.go
