package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/circleci-go/circleci/circlecitest"
	"github.com/circleci-go/circleci/examples/internal/cli"
)

const demoFile = `
# what the demonstration syncs
API_URL=https://api.example.com
API_KEY='p4$$w0rd'
DB_PASSWORD="correct horse"
`

// runDemo updates a context of a fake CircleCI server, from the user's file if
// one is given.
func runDemo(ctx context.Context, con *cli.Console, o options, given bool) error {
	fmt.Fprintln(con.Out, "No CIRCLE_TOKEN is set: this is a fake CircleCI server on this machine.")
	srv := circlecitest.NewServer()
	defer srv.Close()
	id := srv.AddContext("gh/acme", "production", map[string]string{"API_KEY": "old", "LEGACY_KEY": "old"})

	vars, err := read(strings.NewReader(demoFile))
	if given {
		vars, err = readFile(o.file)
	}
	if err != nil {
		return err
	}
	o.yes = true // only the fake server is changed
	return sync(ctx, con, srv.Client(), id, vars, o)
}
