// Command artifacts downloads the artifacts of a job, with a progress bar for
// each file.
//
//	CIRCLE_TOKEN=… go run ./artifacts -dir out -glob 'reports/*.xml' gh/your-org/your-project 123
//
// The arguments are the project's slug and the job's number. Without a token it
// uses a fake CircleCI server in this process:
//
//	go run ./artifacts
//
// The flags:
//
//	-dir path        the directory for the files, created if needed; the default
//	                 is artifacts-<number>
//	-glob pattern    the artifacts to download, by path; default all
//	-parallel n      the number of parallel downloads; default 4
//
// A file gets its name when it is complete: Ctrl-C leaves no partial files. The
// exit status is 1 if a file could not be downloaded; the others are kept.
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/examples/internal/cli"
)

func main() { cli.Main(run) }

func run(ctx context.Context, con *cli.Console, args []string) error {
	var o circleci.DownloadOptions
	flags := con.Flags("artifacts [flags] <project slug> <job number>")
	dir := flags.String("dir", "", "where the files go")
	flags.StringVar(&o.Glob, "glob", "", "the artifacts to download, by their paths")
	flags.IntVar(&o.Concurrency, "parallel", 4, "how many files at once")
	if err := cli.Parse(flags, args, 2); err != nil {
		return err
	}
	if os.Getenv("CIRCLE_TOKEN") == "" {
		return runDemo(ctx, con, *dir, o)
	}
	project, err := circleci.ParseProjectSlug(flags.Arg(0))
	if err != nil {
		return cli.Usage("the first argument is the project's slug, such as gh/acme/web: %w", err)
	}
	number, err := strconv.ParseInt(flags.Arg(1), 10, 64)
	if err != nil || number <= 0 {
		return cli.Usage("the second argument is the job's number")
	}
	client, err := circleci.NewClientFromEnv()
	if err != nil {
		return err
	}
	if *dir == "" {
		*dir = fmt.Sprintf("artifacts-%d", number)
	}
	return download(ctx, con, client, project, number, *dir, o)
}

func download(ctx context.Context, con *cli.Console, client *circleci.Client, project circleci.ProjectSlug, number int64, dir string, o circleci.DownloadOptions) error {
	bars := newBars(con)
	o.OnProgress = bars.show
	files, err := client.Jobs.DownloadArtifacts(ctx, project, number, dir, &o)
	bars.end()

	var bytes int64
	for _, f := range files { // also if others failed
		bytes += f.Size
	}
	fmt.Fprintf(con.Out, "%d files, %s, in %s\n", len(files), size(bytes), dir)
	return err
}
