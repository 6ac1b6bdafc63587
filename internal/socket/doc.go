// Package socket makes many small messages over TCP and Unix sockets take less time of the CPU.
//
// Package net announces each system call to the Go runtime, so that other goroutines get another thread if the call blocks. A call on
// a socket never does, for it is the runtime's poller that waits. But while calls are announced, the runtime's monitor thread wakes up every 20
// microseconds, and a call that takes longer than that makes the runtime hand its place to another thread. Connections of this package make their
// calls without the announcement, with at most 64 KiB each. They also read ahead, so that a reader who asks for a few bytes at a time, as
// net/http does for the header of a request, needs one call.
package socket
