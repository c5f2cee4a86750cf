// go.go - the contender in Go: net, with a goroutine per connection, for echo,
// and net/http for HTTP, as their documentation has them.
//
//	go echo|http [ADDRESS] [--compute US] [--block MS] [--idle SECONDS]
//
// SPDX-License-Identifier: MIT
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const stepsAMicrosecond = 700 // as in bench/servers/kit/service.h

var (
	compute uint64
	block   time.Duration
	idle    = 60 * time.Second
	result  uint64
)

func work() {
	x := result
	for i := compute * stepsAMicrosecond; i > 0; i-- {
		x = x*6364136223846793005 + 1442695040888963407
	}
	result = x
	if block > 0 {
		time.Sleep(block)
	}
}

func echo(c net.Conn) {
	defer c.Close()
	buf := make([]byte, 16*1024)
	for {
		c.SetReadDeadline(time.Now().Add(idle))
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		if buf[0] == '!' {
			work()
		}
		if _, err = c.Write(buf[:n]); err != nil {
			return
		}
	}
}

func greet(w http.ResponseWriter, r *http.Request) {
	heavy := strings.HasPrefix(r.URL.Path, "/heavy/")
	if !heavy && !strings.HasPrefix(r.URL.Path, "/greet/") {
		http.NotFound(w, r)
		return
	}
	if heavy {
		work()
	}
	name := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintf(w, "hello, %s\n", name)
}

func fail(status int, words ...any) {
	fmt.Fprintln(os.Stderr, append([]any{"go:"}, words...)...)
	os.Exit(status)
}

func number(text string) uint64 {
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		fail(2, "'"+text+"' is not a number")
	}
	return n
}

func parse() (kind, addr string) {
	words := os.Args[1:]
	if len(words) < 1 || (words[0] != "echo" && words[0] != "http") {
		fail(2, "usage: go echo|http [ADDRESS] [--compute US] [--block MS] "+
			"[--idle SECONDS]")
	}
	kind, addr, words = words[0], "127.0.0.1:0", words[1:]
	if len(words) > 0 && words[0][0] != '-' {
		addr, words = words[0], words[1:]
	}
	for ; len(words) >= 2; words = words[2:] {
		n := number(words[1])
		switch words[0] {
		case "--compute":
			compute = n
		case "--block":
			block = time.Duration(n) * time.Millisecond
		case "--idle":
			idle = time.Duration(n) * time.Second
		default:
			fail(2, "no option", words[0])
		}
	}
	return kind, addr
}

func main() {
	kind, addr := parse()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		fail(1, err)
	}
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-end
		os.Exit(0)
	}()
	fmt.Println("listening on", l.Addr())
	if kind == "http" {
		s := http.Server{Handler: http.HandlerFunc(greet), IdleTimeout: idle,
			ReadHeaderTimeout: idle}
		fail(1, s.Serve(l))
	}
	for {
		c, err := l.Accept()
		if err != nil {
			time.Sleep(10 * time.Millisecond) // too many, until some leave
			continue
		}
		go echo(c)
	}
}
