// SPDX-License-Identifier: EUPL-1.2

// Package mailbox hands messages to the mailboxes that applicants have elsewhere (Postfach eines Nutzerkontos, e.g. OSI, BayernID).
// The mailbox of this house does not belong here: a message lies in it as soon as casework has stored it.
//
// Nothing is handed over inside a transaction. A message is stored first and carried later; it may be carried twice, under the same
// key, and is never forgotten: what the desk has not been told about is handed over again.
package mailbox
