// SPDX-License-Identifier: EUPL-1.2

// Package documents keeps the documents that clients were released with, so that a request can name one by its hash instead of sending it.
// Whether a document fits the contract, and how a request names one, belongs to web; documents that a client makes up on the way are nobody's.
//
//	manifest.go  what the tools of clients write: four formats, one content
//	shelf.go     loads and forgets them in the database, by client and edition
//	register.go  what the house knows of them: everything in memory, half a second behind the database
package documents
