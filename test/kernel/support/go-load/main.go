// A net/http server and client in one process that talk over as many connections as told. What a request asks for follows
// from its number, so that a record with the wrong answer shows.
package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
)

const (
	workers = 16
	each    = 500
)

func answer(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	n, _ := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/"))
	w.Header().Set("Content-Length", strconv.Itoa(n%977))
	w.WriteHeader(200 + n%50)
	w.Write(make([]byte, n%977))
}

func ask(client *http.Client, base string, n int) error {
	method, body := "GET", io.Reader(nil)
	if n%3 == 0 {
		method, body = "POST", strings.NewReader(strings.Repeat("q", n%100))
		if n%2 == 0 {
			// Of a length nobody knows: chunked, in more than one write.
			body = io.MultiReader(strings.NewReader(strings.Repeat("q", n%100)), strings.NewReader(strings.Repeat("Q", 5000)))
		}
	} else if n%5 == 1 {
		method = "HEAD"
	}
	request, err := http.NewRequest(method, base+strconv.Itoa(n), body)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return err
}

func main() {
	connections, _ := strconv.Atoi(os.Args[1])
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go http.Serve(listener, http.HandlerFunc(answer))
	input := bufio.NewReader(os.Stdin)
	fmt.Println("ready")
	input.ReadString('\n')
	transport := &http.Transport{MaxConnsPerHost: connections, MaxIdleConnsPerHost: connections}
	client := &http.Client{Transport: transport}
	base := "http://" + listener.Addr().String() + "/"
	var wait sync.WaitGroup
	for worker := 0; worker < workers; worker++ {
		wait.Add(1)
		go func(from int) {
			defer wait.Done()
			for n := from; n < from+each; n++ {
				if err := ask(client, base, n); err != nil {
					fmt.Fprintln(os.Stderr, err)
				}
			}
		}(worker * each)
	}
	wait.Wait()
	transport.CloseIdleConnections()
	fmt.Println(workers * each)
	input.ReadString('\n')
}
