package main

import (
	"fmt"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/circleci-go/circleci"
	"github.com/circleci-go/circleci/examples/internal/cli"
)

// bars shows a progress bar for each file in a terminal, and a line elsewhere.
type bars struct {
	con *cli.Console
	all *mpb.Progress       // nil outside of a terminal
	of  map[string]*mpb.Bar // of the files that are not whole
}

func newBars(con *cli.Console) *bars {
	b := &bars{con: con, of: map[string]*mpb.Bar{}}
	if con.OutTerminal {
		b.all = mpb.New(mpb.WithOutput(con.Out), mpb.WithWidth(40))
	}
	return b
}

// show updates the progress of a file; calls do not overlap.
func (b *bars) show(p circleci.DownloadProgress) {
	if b.all == nil {
		if p.Done {
			fmt.Fprintf(b.con.Out, "%s  %s\n", p.Path, size(p.Written))
		}
		return
	}
	bar := b.of[p.Path]
	if bar == nil {
		bar = b.all.AddBar(max(p.Total, 0), // 0: it is not known
			mpb.PrependDecorators(decor.Name(p.Path, decor.WCSyncSpaceR)),
			mpb.AppendDecorators(
				decor.Any(func(s decor.Statistics) string { return size(s.Current) + " / " + size(s.Total) }, decor.WCSyncSpace),
				decor.OnComplete(decor.AverageETA(decor.ET_STYLE_GO, decor.WCSyncSpace), "done"),
			),
		)
		b.of[p.Path] = bar
	}
	bar.SetCurrent(p.Written)
	if p.Done {
		bar.SetTotal(p.Written, true)
		delete(b.of, p.Path)
	}
}

// end keeps the bars of complete files, and removes those of failed ones.
func (b *bars) end() {
	if b.all == nil {
		return
	}
	for _, bar := range b.of {
		bar.Abort(true)
	}
	b.all.Wait()
}

func size(bytes int64) string {
	if bytes < 1000 {
		return fmt.Sprintf("%d B", bytes)
	}
	return fmt.Sprintf("% .1f", decor.SizeB1000(bytes))
}
