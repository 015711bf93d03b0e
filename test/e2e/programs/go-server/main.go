// A Go net/http server for the tests. Prints "listening PORT"; UPSTREAM=http://host:port is what /front/* calls.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

var upstream = os.Getenv("UPSTREAM")
var kept = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
var fresh = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
var queue = make(chan struct{}, 2)

func call(client *http.Client, base, path string) {
	response, err := client.Get(base + path)
	if err != nil {
		return
	}
	io.Copy(io.Discard, response.Body)
	response.Body.Close()
}

func scenario(name, id string) {
	switch name {
	case "immediate":
		call(kept, upstream, "/back/"+id)
	case "await":
		call(kept, upstream, "/first/"+id)
		call(kept, upstream, "/back/"+id)
	case "timer":
		time.Sleep(20 * time.Millisecond)
		call(kept, upstream, "/back/"+id)
	case "file":
		os.ReadFile("/etc/passwd")
		call(kept, upstream, "/back/"+id)
	case "dns":
		call(fresh, strings.Replace(upstream, "127.0.0.1", "localhost", 1), "/back/"+id)
	case "queued":
		queue <- struct{}{}
		call(kept, upstream, "/back/"+id)
		<-queue
	case "new_connection":
		call(fresh, upstream, "/back/"+id)
	}
}

func handle(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(r.URL.Path, "/")
	received, _ := io.Copy(io.Discard, r.Body)
	switch parts[1] {
	case "front":
		scenario(parts[2], parts[3])
		w.Write([]byte("front"))
	case "status":
		status, _ := strconv.Atoi(parts[2])
		w.WriteHeader(status)
		if status != 204 && status != 304 {
			w.Write([]byte("status"))
		}
	case "chunked":
		n, _ := strconv.Atoi(parts[2])
		for i := 0; i < n; i++ {
			w.Write([]byte("0123456789"))
			w.(http.Flusher).Flush()
		}
	case "slow":
		ms, _ := strconv.Atoi(parts[2])
		time.Sleep(time.Duration(ms) * time.Millisecond)
		w.Write([]byte("slow"))
	case "size":
		n, _ := strconv.Atoi(parts[2])
		w.Write([]byte(strings.Repeat("x", n)))
	case "post":
		fmt.Fprint(w, received)
	default:
		w.Write([]byte("hello from go"))
	}
}

func main() {
	host := os.Getenv("HOST")
	if host == "" {
		host = "127.0.0.1"
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(host, os.Getenv("PORT")))
	if err != nil {
		panic(err)
	}
	fmt.Println("listening", listener.Addr().(*net.TCPAddr).Port)
	http.Serve(listener, http.HandlerFunc(handle))
}
