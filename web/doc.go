// SPDX-License-Identifier: EUPL-1.2

// Package web is the front door: who is asking, how much may be asked at once, over which transports, and whether the house is well.
// What is asked for does not belong here: operations go to an executor, uploads and deliveries to the routes of other rooms.
//
// Nothing of a request is parsed before its size is known (json.go), no document is validated before it was measured (guard.go,
// cost.go), and every failure leaves through one exit (refusal.go).
package web
