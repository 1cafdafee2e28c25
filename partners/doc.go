// SPDX-License-Identifier: EUPL-1.2

// Package partners hands over what happens and what there is at partners' own doors: webhooks send the frames of a subscription, exports write a list to
// its end into a file.
// What a frame or a line shows does not belong here, nor who may see it: both come from an operation that is carried out for the subject (Engine),
// as if it were asked at the front door.
//
//	engine.go        how an operation of somebody's is carried out without a request
//	document.go      which documents a webhook and an export take, and how an export asks for a page
//	desk.go          the desk; one file for each verb or pair of verbs
//	courier.go       takes webhooks that are due, each for one process at a time, and replays
//	lane.go          leads one webhook along the log
//	envelope.go      one attempt: signed, sent, bounded
//	outside.go       which addresses lie outside
//	copyist.go       makes exports, page by page
//	download.go      hands a file to whom it was made for
//	books.go         what is written down of all this
//	sweep.go         throws away what has expired
//
// See docs/decisions/0024 and 0025, and docs/partners.md for those who stand on the other side.
package partners
