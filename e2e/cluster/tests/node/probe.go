// What the tests run in pods: `probe serve` answers on port 8080, `probe ask URL` prints an
// answer, trying for half a minute.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

func main() {
	if len(os.Args) == 3 && os.Args[1] == "ask" {
		os.Exit(ask(os.Args[2]))
	}
	fmt.Println("serving")
	http.HandleFunc("/", func(answer http.ResponseWriter, _ *http.Request) {
		name, _ := os.Hostname()
		fmt.Fprintln(answer, "hello from", name)
	})
	fmt.Println(http.ListenAndServe(":8080", nil))
	os.Exit(1)
}

func ask(url string) int {
	client := http.Client{Timeout: 2 * time.Second}
	for try := 0; try < 60; try++ {
		answer, err := client.Get(url)
		if err != nil {
			fmt.Println(err)
			time.Sleep(500 * time.Millisecond)
			continue
		}
		body, _ := io.ReadAll(answer.Body)
		fmt.Print(string(body))
		return 0
	}
	return 1
}
