// SPDX-License-Identifier: EUPL-1.2

// Package once sees to it that a verb which is said again, because its answer was lost, is carried out once and answered alike.
// What a verb does belongs to the desks. The transactions of form servers and portals, which never expire, are intake's.
//
// Whoever may have to say a verb again gives it a key (Idempotency-Key, @idempotent). What the verb made stands under the key in the register
// (idempotency_keys), stored in the same transaction: either both are there or neither. Two who say the same at once meet in the register, which
// has one line for a subject and a key; the second then is told what the first has made.
package once
