// Command policy-push replaces the config policies of an organization with the
// Rego files of a directory. It shows what would change, asks, and changes it.
//
//	CIRCLE_TOKEN=… go run ./policy-push gh/your-org ./policies
//
// The arguments are the organization's slug and the directory. Policies that are
// not in the directory are deleted. Without a token the program talks to a
// fake CircleCI server in this process:
//
//	go run ./policy-push
//
// The flags:
//
//	-dry-run   show what would change, and change nothing
//	-yes       change without asking
//	-json      print the difference as JSON; asks nothing and needs -yes or -dry-run
//	-q         print no progress
package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/examples/internal/cli"
)

func main() { cli.Main(run) }

type options struct {
	dryRun, yes, json bool
	progress          io.Writer
}

func run(ctx context.Context, con *cli.Console, args []string) error {
	var o options
	flags := con.Flags("policy-push [flags] <organization slug> <directory>")
	flags.BoolVar(&o.dryRun, "dry-run", false, "show what would change, and change nothing")
	flags.BoolVar(&o.yes, "yes", false, "change without asking")
	flags.BoolVar(&o.json, "json", false, "print the difference as JSON")
	quiet := flags.Bool("q", false, "print no progress")
	if err := cli.Parse(flags, args, 2); err != nil {
		return err
	}
	o.progress = con.Progress(*quiet)
	if os.Getenv("CIRCLE_TOKEN") == "" {
		return runDemo(ctx, con, o)
	}
	if o.json && !o.yes && !o.dryRun {
		return cli.Usage("-json needs -yes or -dry-run: it asks nothing")
	}
	slug, err := circleci.ParseOrgSlug(flags.Arg(0))
	if err != nil {
		return cli.Usage("the first argument is the organization's slug, such as gh/acme: %w", err)
	}
	if flags.NArg() < 2 {
		return cli.Usage("the second argument is the directory with the policies")
	}
	client, err := circleci.NewClientFromEnv()
	if err != nil {
		return err
	}
	org, err := client.Organizations.Get(ctx, circleci.OrgBySlug(slug))
	if err != nil {
		return err
	}
	return push(ctx, con, client, org.ID, os.DirFS(flags.Arg(1)), o)
}

func push(ctx context.Context, con *cli.Console, client *circleci.Client, org uuid.UUID, dir fs.FS, o options) error {
	fmt.Fprintln(o.progress, "comparing the policies")
	diff, err := client.Policy.PushDir(ctx, org, dir, nil) // a dry run
	if err != nil {
		return err
	}
	changes := len(diff.Created) + len(diff.Modified) + len(diff.Deleted)
	if !o.json {
		show(con.Out, diff)
	}
	if changes > 0 && !o.dryRun {
		if err := con.Confirm(ctx, o.yes, "Change the policies?"); err != nil {
			return err
		}
		if diff, err = client.Policy.PushDir(ctx, org, dir, &circleci.PushDirOptions{Apply: true}); err != nil {
			return err
		}
		fmt.Fprintf(o.progress, "%d policies changed\n", len(diff.Created)+len(diff.Modified)+len(diff.Deleted))
	}
	if o.json {
		return con.JSON(diff)
	}
	return nil
}

func show(w io.Writer, diff *circleci.PolicyBundleDiff) {
	for _, part := range []struct {
		sign  string
		names []string
	}{{"+", diff.Created}, {"~", diff.Modified}, {"-", diff.Deleted}} {
		for _, name := range part.names {
			fmt.Fprintf(w, "%s %s\n", part.sign, cli.Plain(name))
		}
	}
	if len(diff.Created)+len(diff.Modified)+len(diff.Deleted) == 0 {
		fmt.Fprintln(w, "no policy differs")
	}
}
