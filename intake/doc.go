// SPDX-License-Identifier: EUPL-1.2

// Package intake makes a case out of an application, whatever form server sent it.
// What happens to the case afterwards does not belong here (casework), nor does who may knock at the door (authz, web).
//
// An application comes in by one of two doors, Submit for an applicant at the portal and Gover for a form server, and goes one way down:
//
//	what is wrong with it is said before anything is stored
//	has it been delivered before?      the register answers as it did the first time
//	which authority is responsible?    and may the sender submit there, with that trust level
//	its content goes into the blob store
//	case, submission, applicant, attachments and the line of the register are stored in one transaction
//
// The register (idempotency_keys) decides between deliveries that come at the same time: it has one line for each transaction of a source.
package intake
