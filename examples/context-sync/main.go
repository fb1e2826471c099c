// Command context-sync updates the variables of a context from a .env file. It
// shows the changes without values, asks, and applies them.
//
//	CIRCLE_TOKEN=… go run ./context-sync -file prod.env gh/your-org production
//
// The arguments are the organization's slug and the context's name. Without a
// token it uses a fake CircleCI server in this process:
//
//	go run ./context-sync
//	go run ./context-sync -file my.env -delete
//
// The flags:
//
//	-file path   the variables, as NAME=value; default .env. A $ in a value
//	             refers to another variable, unless it is in single quotes
//	-delete      deletes the variables that are not in the file
//	-dry-run     shows what would change, and changes nothing
//	-yes         changes without asking
//
// CircleCI never returns values, so existing variables are always written
// again.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/google/uuid"
	"github.com/joho/godotenv"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/examples/internal/cli"
)

func main() { cli.Main(run) }

type options struct {
	file                string
	remove, dryRun, yes bool
}

func run(ctx context.Context, con *cli.Console, args []string) error {
	var o options
	flags := con.Flags("context-sync [flags] <organization slug> <context>")
	flags.StringVar(&o.file, "file", ".env", "the variables, as NAME=value")
	flags.BoolVar(&o.remove, "delete", false, "delete the variables that are not in the file")
	flags.BoolVar(&o.dryRun, "dry-run", false, "show what would change, and change nothing")
	flags.BoolVar(&o.yes, "yes", false, "change without asking")
	if err := cli.Parse(flags, args, 2); err != nil {
		return err
	}
	if os.Getenv("CIRCLE_TOKEN") == "" {
		given := false
		flags.Visit(func(f *flag.Flag) { given = given || f.Name == "file" })
		return runDemo(ctx, con, o, given)
	}
	org, err := circleci.ParseOrgSlug(flags.Arg(0))
	if err != nil {
		return cli.Usage("the first argument is the organization's slug, such as gh/acme: %w", err)
	}
	if flags.NArg() < 2 {
		return cli.Usage("the second argument is the context's name")
	}
	vars, err := readFile(o.file)
	if err != nil {
		return err
	}
	client, err := circleci.NewClientFromEnv()
	if err != nil {
		return err
	}
	id, err := findContext(ctx, client, org, flags.Arg(1))
	if err != nil {
		return err
	}
	return sync(ctx, con, client, id, vars, o)
}

func readFile(path string) (map[string]circleci.Secret, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	vars, err := read(file)
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return vars, nil
}

// read reads a .env file.
func read(r io.Reader) (map[string]circleci.Secret, error) {
	plain, err := godotenv.Parse(r)
	if err != nil {
		return nil, errors.New("it is not a .env file") // the error would quote it, secrets and all
	}
	if len(plain) == 0 {
		return nil, errors.New("it has no variables")
	}
	vars := map[string]circleci.Secret{}
	for name, value := range plain {
		vars[name] = circleci.Secret(value)
	}
	return vars, nil
}

// findContext returns the ID of a context by its name.
func findContext(ctx context.Context, client *circleci.Client, org circleci.OrgSlug, name string) (uuid.UUID, error) {
	all := client.Contexts.List(circleci.OwnerBySlug(org), nil)
	for c, err := range all.All(ctx) {
		if err != nil {
			return uuid.Nil, err
		}
		if c.Name == name {
			return c.ID, nil
		}
	}
	return uuid.Nil, fmt.Errorf("%s has no context %q, or the token may not see it", org, name)
}

// sync shows what would change, asks, and changes it.
func sync(ctx context.Context, con *cli.Console, client *circleci.Client, id uuid.UUID, vars map[string]circleci.Secret, o options) error {
	options := &circleci.SyncEnvVarsOptions{Delete: o.remove}
	diff, err := client.Contexts.SyncEnvVars(ctx, id, vars, options)
	if err != nil {
		return err
	}
	fmt.Fprintf(con.Out, "%s", diff)
	fmt.Fprintf(con.Out, "%d new, %d written again, %d deleted, %d kept\n",
		len(diff.Created), len(diff.Updated), len(diff.Deleted), len(diff.Kept))
	if o.dryRun {
		return nil
	}
	if err := con.Confirm(ctx, o.yes, "Change the context?"); err != nil {
		return err
	}
	options.Apply = true
	done, err := client.Contexts.SyncEnvVars(ctx, id, vars, options)
	if done != nil {
		fmt.Fprintf(con.Out, "%d variables written, %d deleted\n", len(done.Created)+len(done.Updated), len(done.Deleted))
	}
	return err
}
