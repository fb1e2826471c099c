// Command secret-rotation sets one variable in all contexts of an organization
// that have it. Without -apply it only shows them.
//
//	API_KEY=… CIRCLE_TOKEN=… go run ./secret-rotation -apply gh/your-org API_KEY
//
// The arguments are the organization's slug and the variable's name. The new
// value is read from an environment variable, by default the one of the same
// name, and is never shown. Without a token the program talks to a fake
// CircleCI server in this process:
//
//	go run ./secret-rotation
//	go run ./secret-rotation -apply
//
// The flags:
//
//	-apply       set the variable
//	-from name   the environment variable with the new value
//	-json        print the contexts as JSON
//	-q           print no progress
//
// If a context cannot be changed, the others still are, and the exit status is 1.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/examples/internal/cli"
)

func main() { cli.Main(run) }

type options struct {
	apply, json bool
	progress    io.Writer
}

func run(ctx context.Context, con *cli.Console, args []string) error {
	var o options
	flags := con.Flags("secret-rotation [flags] <organization slug> <variable>")
	flags.BoolVar(&o.apply, "apply", false, "set the variable; without it nothing is changed")
	from := flags.String("from", "", "the environment variable with the new value (default: the one of the same name)")
	flags.BoolVar(&o.json, "json", false, "print the contexts as JSON")
	quiet := flags.Bool("q", false, "print no progress")
	if err := cli.Parse(flags, args, 2); err != nil {
		return err
	}
	o.progress = con.Progress(*quiet)
	if os.Getenv("CIRCLE_TOKEN") == "" {
		return runDemo(ctx, con, o)
	}
	org, err := circleci.ParseOrgSlug(flags.Arg(0))
	if err != nil {
		return cli.Usage("the first argument is the organization's slug, such as gh/acme: %w", err)
	}
	name := flags.Arg(1)
	if name == "" {
		return cli.Usage("the second argument is the variable's name")
	}
	value := os.Getenv(cmp.Or(*from, name))
	if value == "" && o.apply {
		return cli.Usage("the environment variable %s has no value: it is the new value of %s", cmp.Or(*from, name), name)
	}
	client, err := circleci.NewClientFromEnv()
	if err != nil {
		return err
	}
	return rotate(ctx, con, client, org, name, circleci.Secret(value), o)
}

// holder is a context that has the variable.
type holder struct {
	Context   string    `json:"context"`
	ID        uuid.UUID `json:"id"`
	UpdatedAt time.Time `json:"updated_at"` // before this run
	Changed   bool      `json:"changed"`
	Error     string    `json:"error,omitempty"`
}

func rotate(ctx context.Context, con *cli.Console, client *circleci.Client, org circleci.OrgSlug, name string, value circleci.Secret, o options) error {
	holders, err := find(ctx, client, org, name, o.progress)
	if err != nil {
		return err
	}
	if len(holders) == 0 {
		return fmt.Errorf("no context of %s has the variable %s, or the token may not see it", org, name)
	}
	failed := 0
	for i := range holders {
		if !o.apply {
			break
		}
		h := &holders[i]
		fmt.Fprintf(o.progress, "setting %s in %s\n", name, cli.Plain(h.Context))
		_, err := client.Contexts.SetEnvVar(ctx, h.ID, name, circleci.SetEnvVarRequest{Value: value})
		switch {
		case errors.Is(err, context.Canceled):
			return errors.Join(err, show(con, holders, o))
		case err != nil:
			failed++
			h.Error = err.Error()
		default:
			h.Changed = true
		}
	}
	if err := show(con, holders, o); err != nil {
		return err
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d contexts could not be changed", failed, len(holders))
	}
	if !o.apply {
		fmt.Fprintln(o.progress, "nothing was changed: give -apply to set the variable")
	}
	return nil
}

// find returns the contexts that have the variable.
func find(ctx context.Context, client *circleci.Client, org circleci.OrgSlug, name string, progress io.Writer) (holders []holder, err error) {
	for c, err := range client.Contexts.List(circleci.OwnerBySlug(org), nil).All(ctx) {
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(progress, "reading context %s\n", cli.Plain(c.Name))
		for v, err := range client.Contexts.ListEnvVars(c.ID).All(ctx) {
			if err != nil {
				return nil, err
			}
			if v.Variable == name {
				holders = append(holders, holder{Context: c.Name, ID: c.ID, UpdatedAt: v.UpdatedAt})
			}
		}
	}
	return holders, nil
}

func show(con *cli.Console, holders []holder, o options) error {
	if o.json {
		return con.JSON(holders)
	}
	table := tabwriter.NewWriter(con.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "CONTEXT\tLAST SET\tRESULT")
	for _, h := range holders {
		result := "unchanged"
		switch {
		case h.Changed:
			result = "changed"
		case h.Error != "":
			result = cli.Plain(h.Error)
		case !o.apply:
			result = "would be changed"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", cli.Plain(h.Context), h.UpdatedAt.UTC().Format(time.DateOnly), result)
	}
	return table.Flush()
}
