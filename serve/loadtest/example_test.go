package loadtest_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/octet-ml/octet/serve/loadtest"
)

// Four clients send a hundred requests, each its next when the one before is answered.
func ExampleRun() {
	r, err := loadtest.Run(context.Background(), loadtest.Load{Clients: 4, Requests: 100}, func(_ context.Context, i int) (string, error) {
		switch {
		case i%50 == 49:
			return loadtest.StatusTimeout, errors.New("no answer within 10 s")
		case i%10 == 0:
			return "429", errors.New("busy")
		}
		return "200", nil
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(r.Loop, r.Sent, r.OK, r.Statuses)
	// Output: closed 100 88 map[200:88 429:10 timeout:2]
}

// A load needs clients or a rate, and an end.
func ExampleLoad_Validate() {
	fmt.Println(loadtest.Load{Clients: 2}.Validate())
	fmt.Println(loadtest.Load{Rate: 100, Requests: 10}.Validate())
	// Output:
	// load: a duration or a number of requests must be above 0
	// <nil>
}
