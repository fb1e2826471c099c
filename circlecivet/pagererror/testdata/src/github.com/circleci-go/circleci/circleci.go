// Package circleci stands in for the real one.
package circleci

import (
	"context"
	"iter"
)

type Page[T any] struct{ Items []T }

type Pager[T any] struct{}

func (p *Pager[T]) All(ctx context.Context) iter.Seq2[T, error]          { return nil }
func (p *Pager[T]) Pages(ctx context.Context) iter.Seq2[*Page[T], error] { return nil }
func (p *Pager[T]) Prefetch() *Pager[T]                                  { return p }

func Rows(ctx context.Context) iter.Seq2[int, error]   { return nil }
func Named(ctx context.Context) iter.Seq2[string, int] { return nil }
