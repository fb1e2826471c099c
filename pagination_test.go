package circleci_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/circleci-go/circleci"
)

const slug = circleci.ProjectSlug("gh/acme/web")

// idOf is the ID of the nth item of a list.
func idOf(n int) uuid.UUID { return uuid.UUID{0: 1, 14: byte(n >> 8), 15: byte(n)} }

// pageOf is a page of pipelines with these numbers.
func pageOf(token string, numbers ...int) reply {
	items := make([]string, 0, len(numbers))
	for _, n := range numbers {
		items = append(items, fmt.Sprintf(`{"id":%q,"number":%d}`, idOf(n), n))
	}
	return answers(200, fmt.Sprintf(`{"items":[%s],"next_page_token":%q}`, strings.Join(items, ","), token))
}

// testsPage is a page of tests, which have no identity.
func testsPage(token string, names ...string) reply {
	items := make([]string, 0, len(names))
	for _, name := range names {
		items = append(items, fmt.Sprintf(`{"name":%q}`, name))
	}
	return answers(200, fmt.Sprintf(`{"items":[%s],"next_page_token":%q}`, strings.Join(items, ","), token))
}

// tokensOf are the page tokens of the requests that were sent.
func (w *fakeWire) tokensOf(t testing.TB, name string) []string {
	t.Helper()
	tokens := []string{}
	for _, sent := range w.requests() {
		u, err := url.Parse(sent.URL)
		require.NoError(t, err)
		tokens = append(tokens, u.Query().Get(name))
	}
	return tokens
}

// numbersOf walks over pipelines, to the end or to an error.
func numbersOf(ctx context.Context, pager *circleci.Pager[circleci.Pipeline]) (numbers []int64, err error) {
	for p, err := range pager.All(ctx) {
		if err != nil {
			return numbers, err
		}
		numbers = append(numbers, p.Number)
	}
	return numbers, nil
}

// walks are the two ways to read a list.
var walks = map[string]func(*circleci.Pager[circleci.Pipeline]) *circleci.Pager[circleci.Pipeline]{
	"":              func(p *circleci.Pager[circleci.Pipeline]) *circleci.Pager[circleci.Pipeline] { return p },
	"with prefetch": (*circleci.Pager[circleci.Pipeline]).Prefetch,
}

// collect is [circleci.Pager.Collect] for other sequences.
func collect[T any](seq iter.Seq2[T, error]) ([]T, error) {
	var all []T
	for item, err := range seq {
		if err != nil {
			return all, err
		}
		all = append(all, item)
	}
	return all, nil
}

func namesOf(ctx context.Context, pager *circleci.Pager[circleci.Test]) ([]string, error) {
	all, err := pager.Collect(ctx)
	var names []string
	for _, test := range all {
		names = append(names, test.Name)
	}
	return names, err
}

func TestWalksEndWithTheLastPage(t *testing.T) {
	for name, last := range map[string]string{
		"empty token":    `{"items":[{"number":3}],"next_page_token":""}`,
		"null token":     `{"items":[{"number":3}],"next_page_token":null}`,
		"no token":       `{"items":[{"number":3}]}`,
		"other spelling": `{"Items":[{"number":3}],"next-page-token":null}`,
	} {
		wire := replies(pageOf("a/b+c=", 1, 2), answers(200, last))
		numbers, err := numbersOf(t.Context(), wire.client(t).Pipelines.ListForProject(slug, &circleci.ListProjectPipelinesOptions{Branch: "main"}))
		require.NoError(t, err, name)
		assert.Equal(t, []int64{1, 2, 3}, numbers, name)
		sent := wire.requests()
		require.Len(t, sent, 2, name)
		assert.Equal(t, api+"/project/gh/acme/web/pipeline?branch=main", sent[0].URL)
		assert.Equal(t, api+"/project/gh/acme/web/pipeline?branch=main&page-token=a%2Fb%2Bc%3D", sent[1].URL)
	}
}

func TestEmptyLists(t *testing.T) {
	for _, body := range []string{`{"items":[],"next_page_token":null}`, `{"items":null}`} {
		numbers, err := numbersOf(t.Context(), replies(answers(200, body)).client(t).Pipelines.List(nil))
		require.NoError(t, err, body)
		assert.Empty(t, numbers, body)
	}
}

func TestARepeatedTokenEndsTheWalk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, walk := range walks {
			wire := replies(pageOf("A", 1, 2), pageOf("B", 3), pageOf("A", 4))
			var (
				numbers []int64
				failed  error
			)
			for p, err := range walk(wire.client(t).Pipelines.ListForProject(slug, nil)).All(t.Context()) {
				synctest.Wait() // what is fetched ahead is there
				if err != nil {
					failed = err
					continue
				}
				numbers = append(numbers, p.Number)
			}
			require.ErrorIs(t, failed, circleci.ErrPageLoop, name)
			require.EqualError(t, failed, "circleci: GET /project/{project-slug}/pipeline: the list's pages repeat: 4 items were read before")
			assert.Equal(t, []int64{1, 2, 3, 4}, numbers, "all that was new is handed over before the error")
			assert.Equal(t, []string{"", "A", "B"}, wire.tokensOf(t, "page-token"), "%s: no page is fetched twice", name)
			assertOneLine(t, failed)
		}
	})
}

// turning is a server whose tokens are always new.
func turning(page func(token string, n int) reply) *fakeWire {
	return &fakeWire{answer: func(_ *http.Request, n int) reply { return page("token"+strconv.Itoa(n), n) }}
}

// The list of context variables repeats a complete page under new tokens.
func TestAListThatIsKnownToRepeatItsPageIsComplete(t *testing.T) {
	wire := turning(func(token string, _ int) reply {
		return answers(200, `{"items":[{"variable":"A"},{"variable":"B"}],"next_page_token":"`+token+`"}`)
	})
	all, err := wire.client(t).Contexts.ListEnvVars(someID).Collect(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []circleci.ContextEnvVar{{Variable: "A"}, {Variable: "B"}}, all)
	assert.Len(t, wire.requests(), 2)

	same := always(answers(200, `{"items":[{"variable":"A"}],"next_page_token":"same"}`))
	all, err = same.client(t).Contexts.ListEnvVars(someID).Collect(t.Context())
	require.NoError(t, err)
	assert.Len(t, all, 1)
}

func TestAPageWithoutNewsIsNotTheEnd(t *testing.T) {
	t.Run("items with an identity", func(t *testing.T) {
		wire := replies(pageOf("1", 1, 2), pageOf("2", 1, 2), pageOf("3", 2, 3), pageOf("", 4))
		numbers, err := numbersOf(t.Context(), wire.client(t).Pipelines.List(nil))
		require.NoError(t, err)
		assert.Equal(t, []int64{1, 2, 3, 4}, numbers)
	})
	t.Run("equal pages of items without one", func(t *testing.T) {
		wire := replies(testsPage("1", "A", "A"), testsPage("2", "A", "A"), testsPage("3", "A", "A"), testsPage("", "B"))
		names, err := namesOf(t.Context(), wire.client(t).Jobs.ListTests(slug, 1))
		require.NoError(t, err)
		assert.Equal(t, []string{"A", "A", "A", "A", "A", "A", "B"}, names)
	})
	t.Run("items whose identity the API leaves out", func(t *testing.T) {
		page := func(token string) reply {
			return answers(200, `{"items":[{"number":1},{"number":1}],"next_page_token":"`+token+`"}`)
		}
		numbers, err := numbersOf(t.Context(), replies(page("1"), page("")).client(t).Pipelines.List(nil))
		require.NoError(t, err)
		assert.Equal(t, []int64{1, 1, 1, 1}, numbers, "an item without an ID is never left out")
	})
}

func TestPagesWithoutNewsDoNotGoOnForEver(t *testing.T) {
	t.Run("items with an identity", func(t *testing.T) {
		wire := turning(func(token string, _ int) reply { return pageOf(token, 1, 2) })
		numbers, err := numbersOf(t.Context(), wire.client(t).Pipelines.List(nil))
		require.ErrorIs(t, err, circleci.ErrPageLoop)
		assert.Equal(t, []int64{1, 2}, numbers)
		assert.Len(t, wire.requests(), 101)
	})
	t.Run("items without one, in turn", func(t *testing.T) {
		wire := turning(func(token string, n int) reply { return testsPage(token, "Test"+strconv.Itoa(n%3)) })
		names, err := namesOf(t.Context(), wire.client(t).Jobs.ListTests(slug, 1))
		require.ErrorIs(t, err, circleci.ErrPageLoop)
		assert.Equal(t, []string{"Test1", "Test2", "Test0"}, names[:3])
		assert.Len(t, wire.requests(), 103)
	})
}

func TestAnItemThatComesTwiceOnOnePageIsYieldedOnce(t *testing.T) {
	numbers, err := numbersOf(t.Context(), replies(pageOf("", 1, 2, 1)).client(t).Pipelines.List(nil))
	require.NoError(t, err)
	assert.Equal(t, []int64{1, 2}, numbers)
}

func TestTestsOfTheSameNameAreNotLost(t *testing.T) {
	// A parameterised test comes many times, within a page and on several.
	wire := replies(testsPage("1", "TestA", "TestA", "TestB"), testsPage("2", "TestA", "TestA"), testsPage("", "TestA"))
	names, err := namesOf(t.Context(), wire.client(t).Jobs.ListTests(slug, 1))
	require.NoError(t, err)
	assert.Equal(t, []string{"TestA", "TestA", "TestB", "TestA", "TestA", "TestA"}, names)
}

func TestShiftedPagesGiveNoItemTwice(t *testing.T) {
	wire := replies(pageOf("1", 9, 8, 7), pageOf("2", 7, 6, 5), pageOf("3", 6, 5, 4), pageOf("", 4, 3))
	pager := wire.client(t).Pipelines.ListForProject(slug, nil)
	numbers, err := numbersOf(t.Context(), pager)
	require.NoError(t, err)
	assert.Equal(t, []int64{9, 8, 7, 6, 5, 4, 3}, numbers)
}

func TestALastPageWithNothingNewIsNoLoop(t *testing.T) {
	// A new pipeline has shifted the last item of a full page onto one more.
	for name, walk := range walks {
		wire := replies(pageOf("1", 3, 2), pageOf("", 2))
		numbers, err := numbersOf(t.Context(), walk(wire.client(t).Pipelines.ListForProject(slug, nil)))
		require.NoError(t, err, name)
		assert.Equal(t, []int64{3, 2}, numbers)
	}
}

func TestEmptyPagesGoOn(t *testing.T) {
	wire := replies(pageOf("1"), pageOf("2", 1), pageOf("3"), pageOf("4"), pageOf("", 2))
	numbers, err := numbersOf(t.Context(), wire.client(t).Pipelines.List(nil))
	require.NoError(t, err)
	assert.Equal(t, []int64{1, 2}, numbers)
	assert.Len(t, wire.requests(), 5)
}

func TestALongListMayHaveManyEmptyPages(t *testing.T) {
	wire := &fakeWire{answer: func(_ *http.Request, n int) reply {
		switch {
		case n == 300:
			return pageOf("")
		case n%2 == 0:
			return pageOf(strconv.Itoa(n))
		}
		return pageOf(strconv.Itoa(n), n)
	}}
	numbers, err := numbersOf(t.Context(), wire.client(t).Pipelines.List(nil))
	require.NoError(t, err)
	assert.Len(t, numbers, 150)
}

func TestEmptyPagesDoNotGoOnForEver(t *testing.T) {
	wire := &fakeWire{answer: func(_ *http.Request, n int) reply {
		if n == 1 {
			return pageOf("first", 1)
		}
		return pageOf(strconv.Itoa(n))
	}}
	numbers, err := numbersOf(t.Context(), wire.client(t).Pipelines.List(nil))
	require.ErrorIs(t, err, circleci.ErrPageLoop)
	assert.Equal(t, []int64{1}, numbers)
	assert.Less(t, len(wire.requests()), 200)
}

func TestAnErrorInTheMiddleComesAfterTheItemsBefore(t *testing.T) {
	for name, walk := range walks {
		wire := replies(pageOf("1", 1, 2), pageOf("2", 3), answers(403, `{"message":"Permission denied."}`))
		pager := walk(wire.client(t).Pipelines.List(nil))
		all, err := pager.Collect(t.Context())
		require.ErrorIs(t, err, circleci.ErrForbidden, name)
		require.Len(t, all, 3, "Collect keeps what came before the error")
		assert.Equal(t, int64(3), all[2].Number)
	}
	pages := 0
	for page, err := range replies(pageOf("1", 1), breaks(errNet)).client(t).Pipelines.List(nil).Pages(t.Context()) {
		if err != nil {
			assert.Nil(t, page)
			require.ErrorIs(t, err, errNet)
			pages += 10
			continue // the error is the last element, whatever the loop does
		}
		pages++
	}
	assert.Equal(t, 11, pages)
}

func TestAPageThatIsNoPage(t *testing.T) {
	for _, body := range []string{``, `null`, `[]`, `{}`, `{"next_page_token":"x"}`, `{"items":{}}`, `{"items":[{"number":"x"}]}`, `{"items":[],"next_page_token":5}`, `{"items":[`, `<html>`} {
		_, err := numbersOf(t.Context(), replies(answers(200, body)).client(t).Pipelines.List(nil))
		failed := requireError[*circleci.DecodeError](t, err)
		assert.Equal(t, "/pipeline", failed.Route, body)
		assert.Equal(t, body, string(failed.Body))
		assertOneLine(t, err)
	}
	for _, body := range []string{`{}`, `{"data":{},"items":{}}`} {
		_, err := replies(answers(200, body)).client(t).Projects.ListForOrg(id1).Collect(t.Context())
		require.ErrorAs(t, err, new(*circleci.DecodeError), body)
		_, err = replies(answers(200, body)).client(t).GitHubApp.ListRepositories(id1).Collect(t.Context())
		require.ErrorAs(t, err, new(*circleci.DecodeError), body)
	}
}

func TestNothingIsLeftOfAPageThatBrokeOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := answers(200, `{"next_page_token":"of the broken page","items":[{"number":1},{"num`)
		broken.tail = iotest.ErrReader(errNet)
		wire := replies(broken, answers(200, `{"items":[{"number":7}]}`))
		numbers, err := numbersOf(t.Context(), wire.client(t, retrying()).Pipelines.List(nil))
		require.NoError(t, err)
		assert.Equal(t, []int64{7}, numbers)
		assert.Len(t, wire.requests(), 2)
	})
}

func TestBreakSendsNoFurtherRequest(t *testing.T) {
	wire := replies(pageOf("1", 1, 2), pageOf("2", 3, 4), pageOf("", 5))
	pager := wire.client(t).Pipelines.List(nil)
	assert.Empty(t, wire.requests(), "a pager that is not walked sends nothing")
	for p, err := range pager.All(t.Context()) {
		require.NoError(t, err)
		if p.Number == 2 { // the last of its page
			break
		}
	}
	assert.Len(t, wire.requests(), 1)
	for page, err := range pager.Pages(t.Context()) {
		require.NoError(t, err)
		assert.Equal(t, "2", page.NextPageToken)
		break
	}
	assert.Len(t, wire.requests(), 2)
}

// listed is a server with a list of five pipelines on three pages.
func listed() *fakeWire {
	return &fakeWire{answer: func(req *http.Request, _ int) reply {
		switch req.URL.Query().Get("page-token") {
		case "":
			return pageOf("1", 1, 2)
		case "1":
			return pageOf("2", 3, 4)
		}
		return pageOf("", 5)
	}}
}

func TestAPagerCanBeWalkedAgain(t *testing.T) {
	wire := listed()
	pager := wire.client(t).Pipelines.List(nil)
	seq := pager.All(t.Context())
	for range 2 {
		numbers, err := numbersOf(t.Context(), pager)
		require.NoError(t, err)
		assert.Equal(t, []int64{1, 2, 3, 4, 5}, numbers)
		all, err := collect(seq)
		require.NoError(t, err)
		assert.Len(t, all, 5, "a sequence can be walked again as well")
	}
	assert.Len(t, wire.requests(), 12)
}

func TestAPagerCanBeWalkedByManyAtOnce(t *testing.T) {
	for name, walk := range walks {
		pager := walk(listed().client(t, circleci.WithLimiter(nil)).Pipelines.List(nil))
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				for range 5 {
					numbers, err := numbersOf(t.Context(), pager)
					assert.NoError(t, err, name)
					assert.Equal(t, []int64{1, 2, 3, 4, 5}, numbers, name)
				}
			})
		}
		all.Wait()
	}
}

func TestPagesOneByOne(t *testing.T) {
	wire := replies(pageOf("1", 1, 2), pageOf("2", 2, 3), answers(200, `{"items":[],"next_page_token":null,"total_count":3}`, "X-Request-Id", "r-3"))
	pager := wire.client(t).Pipelines.List(nil)
	var numbers []int64
	token := ""
	for range 2 {
		page, err := pager.Page(t.Context(), token)
		require.NoError(t, err)
		for _, p := range page.Items {
			numbers = append(numbers, p.Number)
		}
		token = page.NextPageToken
	}
	assert.Equal(t, []int64{1, 2, 2, 3}, numbers, "a single page is as the API gives it")
	last, err := pager.Page(t.Context(), token)
	require.NoError(t, err)
	assert.Empty(t, last.NextPageToken)
	assert.Equal(t, 3, last.TotalCount)
	assert.Equal(t, 200, last.Response.StatusCode)
	assert.Equal(t, "r-3", last.Response.RequestID)
	assert.Equal(t, []string{"", "1", "2"}, wire.tokensOf(t, "page-token"))

	page, err := replies(answers(404, `{"message":"no"}`)).client(t).Pipelines.List(nil).Page(t.Context(), "x")
	require.ErrorIs(t, err, circleci.ErrNotFound)
	assert.Nil(t, page)
}

// array is a server with a bare array of n items, size of them on a page.
func array(n, size int) *fakeWire {
	return &fakeWire{answer: func(req *http.Request, _ int) reply {
		offset, _ := strconv.Atoi(req.URL.Query().Get("offset")) // the first request has none
		var items []string
		for i := offset; i < min(offset+size, n); i++ {
			items = append(items, fmt.Sprintf(`{"id":%q,"slug":"gh/o%d"}`, idOf(i), i))
		}
		return answers(200, "["+strings.Join(items, ",")+"]")
	}}
}

func TestArraysByOffset(t *testing.T) {
	for _, c := range []struct {
		n, size int
		offsets []string
	}{
		{0, 2, []string{""}},
		{1, 2, []string{"", "1"}},
		{5, 2, []string{"", "2", "4", "5"}},
		{4, 2, []string{"", "2", "4"}},
	} {
		wire := array(c.n, c.size)
		all, err := circleci.OffsetPager(wire.client(t), "/x").Collect(t.Context())
		require.NoError(t, err)
		assert.Len(t, all, c.n)
		assert.Equal(t, c.offsets, wire.tokensOf(t, "offset"), "%d items", c.n)
		assert.Equal(t, api+"/x", wire.requests()[0].URL)
	}

	page, err := circleci.OffsetPager(array(5, 2).client(t), "/x").Page(t.Context(), "2")
	require.NoError(t, err)
	assert.Equal(t, "4", page.NextPageToken, "the offset in decimal")
	assert.Equal(t, circleci.OrgSlug("gh/o2"), page.Items[0].Slug)
}

func TestAServerThatIgnoresTheOffsetDoesNotHoldTheWalk(t *testing.T) {
	wire := always(answers(200, `[{"slug":"gh/a"},{"slug":"gh/b"}]`))
	all, err := circleci.OffsetPager(wire.client(t), "/x").Collect(t.Context())
	require.ErrorIs(t, err, circleci.ErrPageLoop)
	assert.Len(t, all, 2)
	assert.Len(t, wire.requests(), 101)
}

func TestBareArrays(t *testing.T) {
	for body, want := range map[string]int{
		`[{"id":"` + idOf(1).String() + `","vcs_type":"github"},{"vcs-type":"circleci"}]`: 2,
		`[]`: 0, `null`: 0, ` null `: 0,
	} {
		wire := replies(answers(200, body))
		all, err := wire.client(t).Users.ListCollaborations().Collect(t.Context())
		require.NoError(t, err, body)
		require.Len(t, all, want, body)
		for _, c := range all {
			assert.NotEmpty(t, c.VCSType, "both spellings")
		}
		assert.Equal(t, api+"/me/collaborations", wire.only(t).URL)
	}
	for _, body := range []string{``, `{}`, `{"items":[]}`} {
		_, err := replies(answers(200, body)).client(t).Users.ListCollaborations().Collect(t.Context())
		require.ErrorAs(t, err, new(*circleci.DecodeError))
	}
}

func TestPrefetchIsOnePageAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wire := &fakeWire{answer: func(_ *http.Request, n int) reply {
			token := strconv.Itoa(n)
			if n == 5 {
				token = ""
			}
			return pageOf(token, 2*n, 2*n+1).later(time.Second)
		}}
		start, page := time.Now(), 0
		for _, err := range wire.client(t).Pipelines.List(nil).Prefetch().Pages(t.Context()) {
			require.NoError(t, err)
			page++
			time.Sleep(10 * time.Second) // more than enough to fetch everything
			assert.Len(t, wire.requests(), min(page+1, 5), "while page %d is handled, the next one is fetched, and no other", page)
		}
		assert.Equal(t, 5, page)
		assert.Equal(t, (1+5*10)*time.Second, time.Since(start), "the loop waits for the first page alone")
		assert.Equal(t, []string{"", "1", "2", "3", "4"}, wire.tokensOf(t, "page-token"))
	})
}

func TestNothingIsFetchedAheadUnlessAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wire, page := listed(), 0
		for _, err := range wire.client(t).Pipelines.List(nil).Pages(t.Context()) {
			require.NoError(t, err)
			page++
			time.Sleep(time.Second)
			assert.Len(t, wire.requests(), page)
		}
	})
}

func TestBreakEndsAPrefetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // which fails if a goroutine is left
		wire := &fakeWire{answer: func(_ *http.Request, n int) reply {
			if n == 1 {
				return pageOf("1", 1, 2)
			}
			return pageOf("2", 3).later(time.Hour)
		}}
		running := 0
		counted := circleci.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
			return roundTrip(func(req *http.Request) (*http.Response, error) {
				running++
				defer func() { running-- }()
				return next.RoundTrip(req)
			})
		})
		start := time.Now()
		client := wire.client(t, circleci.WithIdleTimeout(0), counted)
		for p, err := range client.Pipelines.List(nil).Prefetch().All(t.Context()) {
			require.NoError(t, err)
			synctest.Wait()
			if p.Number == 1 {
				break
			}
		}
		assert.Zero(t, time.Since(start), "leaving the loop waits for a page that nobody wants")
		assert.Zero(t, running, "a request goes on after the loop")
		assert.Len(t, wire.requests(), 2)
		time.Sleep(2 * time.Hour)
		assert.Len(t, wire.requests(), 2, "a request after the loop has ended")
	})
}

func TestAPanicInTheLoopLeavesNothingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wire := &fakeWire{answer: func(_ *http.Request, n int) reply {
			return pageOf(strconv.Itoa(n), n).later(time.Duration(n-1) * time.Hour)
		}}
		assert.PanicsWithValue(t, "oops", func() {
			for _, err := range wire.client(t, circleci.WithIdleTimeout(0)).Pipelines.List(nil).Prefetch().All(t.Context()) {
				require.NoError(t, err)
				panic("oops")
			}
		})
		assert.LessOrEqual(t, len(wire.requests()), 2)
	})
}

func TestAnErrorFetchedAheadWaitsForItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wire := replies(pageOf("1", 1, 2, 3), answers(404, `{"message":"gone"}`))
		var events []string
		for p, err := range wire.client(t).Pipelines.List(nil).Prefetch().All(t.Context()) {
			synctest.Wait() // the answer to the second request is there
			if err != nil {
				require.ErrorIs(t, err, circleci.ErrNotFound)
				events = append(events, "error")
				continue
			}
			events = append(events, strconv.FormatInt(p.Number, 10))
		}
		assert.Equal(t, []string{"1", "2", "3", "error"}, events)
	})
}

func TestTheContextEndsAWalk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, walk := range walks {
			ctx, cancel := context.WithCancel(t.Context())
			wire := &fakeWire{answer: func(_ *http.Request, n int) reply {
				return pageOf(strconv.Itoa(n), n).later(time.Second)
			}}
			var numbers []int64
			var failed error
			for p, err := range walk(wire.client(t).Pipelines.List(nil)).All(ctx) {
				if err != nil {
					failed = err
					break
				}
				numbers = append(numbers, p.Number)
				if p.Number == 2 {
					cancel()
				}
			}
			require.ErrorIs(t, failed, context.Canceled)
			assert.Equal(t, []int64{1, 2}, numbers)
			cancel()
		}
	})
}

func TestATimeoutIsThatOfAPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wire := &fakeWire{answer: func(_ *http.Request, n int) reply {
			if n == 4 {
				return pageOf("", n).later(time.Minute)
			}
			return pageOf(strconv.Itoa(n), n).later(8 * time.Second)
		}}
		numbers, err := numbersOf(t.Context(), wire.client(t).Pipelines.List(nil, circleci.Timeout(10*time.Second)))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, []int64{1, 2, 3}, numbers)
	})
}

func TestCaptureResponseFollowsTheWalk(t *testing.T) {
	page := func(n int) reply {
		token := strconv.Itoa(n)
		r := pageOf(token, n)
		r.header.Set("X-Request-Id", "r-"+token)
		return r
	}
	for name, walk := range walks {
		var got circleci.Response
		wire := replies(page(1), page(2), answers(500, `{}`, "X-Request-Id", "r-3"))
		pager := walk(wire.client(t).Pipelines.List(nil, circleci.CaptureResponse(&got)))
		n := 0
		for p, err := range pager.Pages(t.Context()) {
			n++
			assert.Equal(t, "r-"+strconv.Itoa(n), got.RequestID, "%s: the response of the page in hand", name)
			if err == nil {
				assert.Equal(t, got, p.Response)
			}
		}
		assert.Equal(t, 3, n)
		assert.Equal(t, 500, got.StatusCode, "also of an error")
	}
	var got circleci.Response
	_, err := replies(page(7)).client(t).Pipelines.List(nil, circleci.CaptureResponse(&got)).Page(t.Context(), "")
	require.NoError(t, err)
	assert.Equal(t, "r-7", got.RequestID)
}

func TestOptionsOfAListCanBeReused(t *testing.T) {
	filter := &circleci.ListProjectPipelinesOptions{Branch: "main"}
	opts := []circleci.RequestOption{circleci.Query("a", "1"), nil}
	wire := listed()
	pager := wire.client(t).Pipelines.ListForProject(slug, filter, opts...)
	filter.Branch = "changed"
	opts[0] = circleci.Query("a", "2")
	_, err := numbersOf(t.Context(), pager)
	require.NoError(t, err)
	for _, sent := range wire.requests() {
		assert.Contains(t, sent.URL, "branch=main")
		assert.Contains(t, sent.URL, "a=1", "a pager is changed by what happens to its arguments")
	}
}

func FuzzPage(f *testing.F) {
	for _, seed := range []struct {
		first, second string
		moving        bool
	}{
		{`{"items":[{"id":"01000000-0000-0000-0000-000000000001"}],"next_page_token":"a"}`, `{"items":[],"next_page_token":null}`, false},
		{`{"items":[{},{}],"next_page_token":"a"}`, `{"items":[{}],"next_page_token":"b"}`, false},
		{`{"items":null,"next-page-token":"a"}`, `{}`, false},
		{`[]`, `null`, false},
		{`[{"number":1}]`, `[{"number":1},{"number":2}]`, true},
		{`[]`, `[]`, true},
		{`[{"id":"","name":"x"}]`, `[{"name":"y","created_at":"yesterday"}]`, true},
		{`<html>`, `{"items":[{"run_time":"1e5"}]}`, false},
	} {
		f.Add(seed.first, seed.second, seed.moving)
	}
	f.Fuzz(func(t *testing.T, first, second string, moving bool) {
		if len(first)+len(second) > 500 {
			return // a long one finds nothing more, and takes minutes to minimize
		}
		wire := &fakeWire{answer: func(_ *http.Request, n int) reply {
			body := first
			if n > 1 {
				body = second
			}
			if moving { // the texts are items, under a token that always differs
				body = fmt.Sprintf(`{"items":%s,"next_page_token":"%d"}`, body, n)
			}
			return answers(200, body)
		}}
		client := wire.client(t)
		check := func(err error) {
			assert.LessOrEqual(t, len(wire.requests()), 250, "a walk that does not end")
			if err == nil {
				return
			}
			assertOneLine(t, err)
			assert.True(t, errors.Is(err, circleci.ErrPageLoop) || errors.As(err, new(*circleci.DecodeError)), "%T", err)
		}
		pipelines, err := client.Pipelines.List(nil).Collect(t.Context())
		check(err)
		if len(wire.requests()) > 1 {
			seen := map[uuid.UUID]bool{}
			for _, p := range pipelines {
				assert.False(t, p.ID != uuid.Nil && seen[p.ID], "an item comes twice")
				seen[p.ID] = true
			}
		}
		wire.sent = nil
		_, err = client.Jobs.ListTests(slug, 1).Collect(t.Context())
		check(err)
		wire.sent = nil
		_, err = client.Users.ListCollaborations().Collect(t.Context())
		check(err)
		assert.Len(t, wire.requests(), 1)
	})
}
