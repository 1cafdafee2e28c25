// SPDX-License-Identifier: EUPL-1.2

// Package client follows the streams of events of a house from outside, and comes back where it was after every break.
// Nothing of the house belongs here: it knows the protocols, the frames of a stream, and no type of the contract.
//
//	follow.go  the life of a subscription: connect, receive, wait, come back
//	socket.go  graphql-transport-ws
//	sse.go     an event stream
package client
