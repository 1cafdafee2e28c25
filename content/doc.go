// SPDX-License-Identifier: EUPL-1.2

// Package content keeps the bytes of attachments: takes them in, keeps each once under its SHA-256, and hands them out through
// signed links. What an attachment is attached to, and who may attach it, does not belong here: the desks of casework and intake decide that.
//
// Nothing here ever overwrites or renames. Content is laid down under its hash and the day, and whoever keeps content relies only
// on what was laid down that day. So the sweeper can throw away what is days old without a lock, on every replica at once, and without
// ever taking from somebody what that somebody has just found to be there.
package content
