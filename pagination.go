package circleci

import (
	"context"
	"hash/maphash"
	"io"
	"iter"
	"strconv"

	"github.com/google/uuid"

	"github.com/circleci-go/circleci/internal/wire"
)

// Pager is a list of the API, to be walked page by page or item by item. It
// does no I/O until it is walked, and can be walked again, also by several
// goroutines at once.
//
//	for p, err := range client.Pipelines.ListForProject(slug, nil).All(ctx) {
//		if err != nil {
//			return err
//		}
//		fmt.Println(p.Number, p.State)
//	}
//
// A walk always ends. If a page or its token comes again, as some lists of the
// API do, the walk ends with an error that matches [ErrPageLoop]; all items
// have been handed over by then, and none twice. New items shift the pages of
// a list that is walked; an item that comes again by that is left out.
type Pager[T any] struct {
	client  *Client
	request request
	bare    bool // the API answers with a bare array
	offset  bool // the API pages by offset, and not by token
}

// Page is one page of a list.
type Page[T any] struct {
	Items []T
	// NextPageToken is the token of the next page; empty if this is the last.
	// For a list that the API pages by offset it is the offset, in decimal.
	NextPageToken string
	// TotalCount is the number of items in all pages, where the API tells it.
	TotalCount int
	// Response is what is known of the answer beside its content.
	Response Response
}

// envelope is what surrounds the items of a page.
type envelope[T any] struct {
	Items         []T    `json:"items"`
	NextPageToken string `json:"next_page_token"`
	TotalCount    int    `json:"total_count"`
}

// list is the pager of a list whose answers have "items".
func list[T any](c *Client, r request) *Pager[T] { return &Pager[T]{client: c, request: r} }

// array is the pager of a list that answers with a bare array, all at once.
func array[T any](c *Client, r request) *Pager[T] {
	r.nullable = true // how some services write an empty array
	return &Pager[T]{client: c, request: r, bare: true}
}

// offsetArray is the pager of a list that answers with a bare array for each
// page, and pages by offset.
func offsetArray[T any](c *Client, r request) *Pager[T] {
	p := array[T](c, r)
	p.offset = true
	return p
}

// All walks over the items of all pages. An error is yielded as the last
// element, with a zero item. Breaking off the loop sends no further request.
func (p *Pager[T]) All(ctx context.Context) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for page, err := range p.Pages(ctx) {
			if err != nil {
				yield(*new(T), err)
				return
			}
			for _, item := range page.Items {
				if !yield(item, nil) {
					return
				}
			}
		}
	}
}

// Pages walks over the pages. Items that an earlier page had are left out.
func (p *Pager[T]) Pages(ctx context.Context) iter.Seq2[*Page[T], error] {
	return func(yield func(*Page[T], error) bool) {
		var (
			o    callOptions
			seen walk[T]
		)
		o.apply(p.request.opts)
		ctx, cancel := context.WithCancel(ctx)
		next := fetcher[T]{pager: p, ctx: ctx}
		defer next.stop()
		defer cancel()
		for token := ""; ; {
			page, response, err := next.get(token)
			o.give(response)
			if err == nil {
				err = seen.take(p, page)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			token = page.NextPageToken
			looped := seen.token(token)
			if o.prefetch && token != "" && !looped {
				next.begin(token)
			}
			if !yield(page, nil) || token == "" {
				return
			}
			if looped {
				yield(nil, seen.loop(p))
				return
			}
		}
	}
}

// Page fetches one page: the first with an empty token, or the one that an
// earlier page's NextPageToken names. Nothing is left out.
func (p *Pager[T]) Page(ctx context.Context, token string) (*Page[T], error) {
	var o callOptions
	o.apply(p.request.opts)
	page, response, err := p.fetch(ctx, token)
	o.give(response)
	return page, err
}

// fetch is Page, but for what the caller's options capture.
func (p *Pager[T]) fetch(ctx context.Context, token string) (*Page[T], Response, error) {
	out := &pageAnswer[T]{bare: p.bare}
	r := p.request
	r.response = &out.page.Response
	r.search.String(p.tokenName(), token)
	err := p.client.run(ctx, &r, out)
	if err != nil {
		return nil, out.page.Response, err
	}
	out.page.Items, out.page.TotalCount = out.body.Items, out.body.TotalCount
	out.page.NextPageToken = p.nextToken(token, &out.body)
	return &out.page, out.page.Response, nil
}

// pageAnswer is a page in the making, in one allocation.
type pageAnswer[T any] struct {
	page Page[T]
	body envelope[T]
	bare bool
}

func (a *pageAnswer[T]) Decode(body io.Reader) error {
	a.body = envelope[T]{} // nothing may be left of an attempt that broke off
	if a.bare {
		return wire.Read(body, &a.body.Items)
	}
	return wire.Read(body, &a.body)
}

func (p *Pager[T]) tokenName() string {
	if p.offset {
		return "offset"
	}
	return "page-token"
}

func (p *Pager[T]) nextToken(token string, body *envelope[T]) string {
	if !p.offset {
		return body.NextPageToken
	}
	if len(body.Items) == 0 {
		return ""
	}
	offset, _ := strconv.Atoi(token) // the first page has none
	return strconv.Itoa(offset + len(body.Items))
}

// Prefetch makes the walk of a [Pager] fetch the next page while the loop is
// busy with this one: never more than one page ahead, and none after the loop
// has been broken off. It changes nothing for other methods.
func Prefetch() RequestOption { return func(o *callOptions) { o.prefetch = true } }

// fetcher gets the pages of one walk, one ahead of the loop if asked to.
type fetcher[T any] struct {
	pager *Pager[T]
	ctx   context.Context
	ahead chan fetched[T] // of the page that is under way; nil: none
}

type fetched[T any] struct {
	page     *Page[T]
	response Response
	err      error
}

func (f *fetcher[T]) begin(token string) {
	ahead := make(chan fetched[T], 1)
	f.ahead = ahead
	go func() {
		page, response, err := f.pager.fetch(f.ctx, token)
		ahead <- fetched[T]{page, response, err}
	}()
}

func (f *fetcher[T]) get(token string) (*Page[T], Response, error) {
	if f.ahead == nil {
		return f.pager.fetch(f.ctx, token)
	}
	got := <-f.ahead
	f.ahead = nil
	return got.page, got.response, got.err
}

// stop waits for a page that nobody wants any more; its context has ended.
func (f *fetcher[T]) stop() {
	if f.ahead != nil {
		<-f.ahead
	}
}

// itemKey is the identity of an item: an ID, a name or both.
type itemKey struct {
	id   uuid.UUID
	name string
}

// keyed is an item with an identity. A page of items without one is known
// again by its content.
type keyed interface{ key() itemKey }

// walk is the memory of one walk: what ends it if pages repeat.
type walk[T any] struct {
	items  map[itemKey]struct{}
	pages  map[uint64]struct{} // by hash, of items without identity
	seed   maphash.Seed
	tokens map[string]struct{}
	count  int // items handed over
	empty  int // pages in a row
}

// mostEmpty is how many empty pages may follow each other, each with another
// token, before that is taken for a loop.
const mostEmpty = 100

// take leaves out the page's items that have been there, and fails if that
// leaves none. The last page may well bring nothing new: what it had was
// shifted from the page before.
func (w *walk[T]) take(p *Pager[T], page *Page[T]) error {
	if len(page.Items) == 0 {
		if w.empty++; w.empty > mostEmpty {
			return w.loop(p)
		}
		return nil
	}
	w.empty = 0
	if w.count == 0 && page.NextPageToken == "" {
		return nil // the first page is the last: nothing repeats
	}
	if _, ok := any(&page.Items[0]).(keyed); ok {
		page.Items = w.fresh(page.Items)
	} else if w.hasPage(page) {
		page.Items = nil
	}
	if len(page.Items) == 0 && page.NextPageToken != "" {
		return w.loop(p)
	}
	w.count += len(page.Items)
	return nil
}

// fresh takes out, in place, what has been there.
func (w *walk[T]) fresh(items []T) []T {
	if w.items == nil {
		w.items = make(map[itemKey]struct{}, len(items))
	}
	n := 0
	for i := range items {
		key := any(&items[i]).(keyed).key()
		if key == (itemKey{}) { // the API has left out what it is known by
			data, _ := wire.Marshal(items[i]) // what was read can be written
			key.name = "\x00" + string(data)
		}
		if _, ok := w.items[key]; ok {
			continue
		}
		w.items[key] = struct{}{}
		if n != i {
			items[n] = items[i]
		}
		n++
	}
	clear(items[n:])
	return items[:n]
}

func (w *walk[T]) hasPage(page *Page[T]) bool {
	if w.pages == nil {
		w.pages, w.seed = map[uint64]struct{}{}, maphash.MakeSeed()
	}
	data, err := wire.Marshal(page.Items)
	if err != nil {
		return false
	}
	sum := maphash.Bytes(w.seed, data)
	_, ok := w.pages[sum]
	w.pages[sum] = struct{}{}
	return ok
}

// token remembers a token, and reports whether it has been there.
func (w *walk[T]) token(token string) bool {
	if token == "" {
		return false
	}
	if w.tokens == nil {
		w.tokens = map[string]struct{}{}
	}
	_, ok := w.tokens[token]
	w.tokens[token] = struct{}{}
	return ok
}

func (w *walk[T]) loop(p *Pager[T]) error {
	return &PageLoopError{Method: p.request.method, Route: p.request.route, Items: w.count}
}

// Collect takes all items of a walk into a slice. If the walk fails, it
// returns what came before, with the error.
func Collect[T any](seq iter.Seq2[T, error]) ([]T, error) {
	var all []T
	for item, err := range seq {
		if err != nil {
			return all, err
		}
		all = append(all, item)
	}
	return all, nil
}
