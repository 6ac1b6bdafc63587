// Package loadtest sends requests to a server, in a closed loop or in an open one, and says how it answered.
//
// In a closed loop, each of some clients sends its next request when the one before is answered: it shows what a server
// can do, but waits politely while the server does nothing. In an open loop, requests are due at moments that do not depend on
// the server, as those of many users are, and latency counts from the moment at which a request was due, not from
// the one at which it could be sent: a server that stalls answers for all that it kept waiting.
package loadtest
