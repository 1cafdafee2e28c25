// SPDX-License-Identifier: EUPL-1.2

package extension

// MostNumbers is how many numbers an owner can give in all its versions together.
const MostNumbers = 1<<13 - 1

// Key names a leaf in the index of the whole house: the owner's place and the number of the leaf in one. Places are below 10 to the power of 15,
// so that every number of every owner has a key of its own.
func Key(o Owner, number int) int64 { return o.Place*(MostNumbers+1) + int64(number) }
