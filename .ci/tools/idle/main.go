// Command idle opens connections to a server and holds them without a word:
//
//	idle ADDRESS N
//
// It prints "open" when all are, and closes them when its stdin ends. Then it prints how many of them the server had closed before.
package main

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"strconv"
	"time"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: idle ADDRESS N")
	}
	n, err := strconv.Atoi(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	connections := make([]net.Conn, n)
	for i := range connections {
		if connections[i], err = net.Dial("tcp", os.Args[1]); err != nil {
			log.Fatalf("connection %d: %v", i, err)
		}
	}
	fmt.Println("open")
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		log.Fatal(err)
	}
	closed := 0
	for _, c := range connections {
		if err := c.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
			log.Fatal(err)
		}
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			closed++
		}
		c.Close()
	}
	fmt.Println("closed", closed)
}
