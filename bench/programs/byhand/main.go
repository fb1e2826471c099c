// Command byhand prints the name of a project, with only the standard library.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
)

func main() {
	if len(os.Args) < 2 {
		return // only the time until here is measured
	}
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "https://circleci.com/api/v2/project/"+os.Args[1], http.NoBody)
	if err != nil {
		log.Fatal(err)
	}
	req.Header.Set("Circle-Token", os.Getenv("CIRCLE_TOKEN"))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var project struct {
		Name string `json:"name"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&project); err != nil {
		log.Print(err)
		return
	}
	fmt.Println(project.Name)
}
