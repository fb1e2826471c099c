package a

import (
	"context"
	"iter"

	"github.com/circleci-go/circleci"
)

func mine(ctx context.Context) iter.Seq2[int, error] { return nil }

func loops(ctx context.Context, p *circleci.Pager[int], unknown iter.Seq2[int, error]) {
	for x := range p.All(ctx) { // want "the loop loses the error of Pager.All"
		_ = x
	}
	for x, _ := range p.All(ctx) { // want "loses the error of Pager.All"
		_ = x
	}
	for range p.Prefetch().Pages(ctx) { // want "loses the error of Pager.Pages"
	}
	for range circleci.Rows(ctx) { // want "loses the error of Rows"
	}
	all := p.All(ctx)
	for x := range all { // want "loses the error of Pager.All"
		_ = x
	}
	var pages = p.Pages(ctx)
	again := pages
	for range again { // want "loses the error of Pager.Pages"
	}
	var x int
	for x = range p.All(ctx) { // want "loses the error of Pager.All"
	}
	_ = x

	var errs [1]error
	for _, errs[0] = range p.All(ctx) {
	}
	for _, err := range p.All(ctx) {
		_ = err
	}
	for x, err := range p.Pages(ctx) {
		_, _ = x, err
	}
	for range circleci.Named(ctx) { // no error
	}
	for range mine(ctx) { // not ours
	}
	for range unknown {
	}
	for range 3 {
	}
	f := func() iter.Seq2[int, error] { return nil }
	for range f() {
	}
	var c, d iter.Seq2[int, error]
	c = d
	d = c
	for range c { // the search for its origin ends
	}
}
