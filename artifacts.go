package circleci

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
)

// DownloadArtifact writes an artifact to w as it comes, and returns how many
// bytes it has written. A connection that breaks is made again, and goes on
// where it was.
//
// The token goes to CircleCI's artifact host alone, and not to the storage to
// which that one redirects.
func (s *JobsService) DownloadArtifact(ctx context.Context, a Artifact, w io.Writer, opts ...RequestOption) (int64, error) {
	return s.download(ctx, a, w, func(int64, int64) {}, opts)
}

func (s *JobsService) download(ctx context.Context, a Artifact, w io.Writer, progress func(written, total int64), opts []RequestOption) (int64, error) {
	var o callOptions
	o.apply(opts)
	ctx, cancel := o.limit(ctx)
	defer cancel()
	file, err := s.client.newRemote(ctx, a.URL, "artifact", opts)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	out := &progressWriter{dst: w, tell: func(written int64) { progress(written, file.total) }}
	return io.CopyBuffer(out, file, make([]byte, copyBuffer))
}

// DownloadOptions says which artifacts to download, and how. Nil, and fields
// that are zero, have the defaults.
type DownloadOptions struct {
	// Glob downloads only the artifacts whose whole path it matches, by the
	// rules of [path.Match], in which * does not match a slash; empty: all.
	Glob string
	// Match downloads only the artifacts for which it returns true; nil: all.
	Match func(Artifact) bool
	// Node downloads only the artifacts of the parallel run with this index;
	// nil: of all.
	Node *int64
	// Concurrency is how many files are downloaded at once; default 4.
	Concurrency int
	// OnProgress is told how each file goes on. Calls do not overlap.
	OnProgress func(DownloadProgress)
}

// DownloadProgress is how the download of a file goes.
type DownloadProgress struct {
	Artifact Artifact
	// Path is the file's, below the directory.
	Path string
	// Written and Total are in bytes; Total is -1 if it is not known.
	Written, Total int64
	// Done tells that the file is whole, and bears its name.
	Done bool
}

// DownloadedArtifact is an artifact that has become a file.
type DownloadedArtifact struct {
	Artifact Artifact
	// Path is the file's, with the directory.
	Path string
	Size int64
}

// DownloadArtifacts downloads the artifacts of a job into a directory, which
// is made if there is none. It returns the files that are whole, also when
// others failed; the error then names each of those.
//
// A file has the artifact's path below the directory, and if several parallel
// runs have stored artifacts, below the index of the run. Whatever a path
// holds, the file is within the directory. It is written under another name,
// and gets its own when it is whole, in place of one that is there. A
// connection that breaks is made again, and goes on where it was.
func (s *JobsService) DownloadArtifacts(ctx context.Context, slug ProjectSlug, number int64, dir string, o *DownloadOptions, opts ...RequestOption) ([]DownloadedArtifact, error) {
	var options DownloadOptions
	if o != nil {
		options = *o
	}
	if _, err := path.Match(options.Glob, ""); err != nil {
		return nil, &ArgumentError{Name: "glob", Reason: "is malformed"}
	}
	all, err := whole(Collect(s.ListArtifacts(slug, number, opts...).All(ctx)))
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }()
	d := &downloads{service: s, root: root, dir: dir, options: options, opts: append(slices.Clip(opts), alone)}
	return d.run(ctx, options.chosen(all))
}

func (o *DownloadOptions) chosen(all []Artifact) []Artifact {
	var out []Artifact
	for _, a := range all {
		matched, _ := path.Match(o.Glob, a.Path) // the pattern has been checked
		if (o.Glob == "" || matched) && (o.Match == nil || o.Match(a)) && (o.Node == nil || *o.Node == a.NodeIndex) {
			out = append(out, a)
		}
	}
	return out
}

// downloads are the downloads of one call, several at once.
type downloads struct {
	service *JobsService
	root    *os.Root
	dir     string
	options DownloadOptions
	opts    []RequestOption
	mu      sync.Mutex // of OnProgress
}

func (d *downloads) run(ctx context.Context, artifacts []Artifact) ([]DownloadedArtifact, error) {
	var (
		names = localNames(artifacts)
		sizes = make([]int64, len(artifacts))
		errs  = make([]error, len(artifacts))
		next  = make(chan int)
		group sync.WaitGroup
	)
	workers := d.options.Concurrency
	if workers <= 0 {
		workers = 4
	}
	for range min(workers, len(artifacts)) {
		group.Go(func() {
			for i := range next {
				if sizes[i], errs[i] = d.fetch(ctx, artifacts[i], names[i]); errs[i] != nil {
					errs[i] = fmt.Errorf("artifact %q of node %d: %w", artifacts[i].Path, artifacts[i].NodeIndex, errs[i])
				}
			}
		})
	}
	for i := range artifacts {
		next <- i
	}
	close(next)
	group.Wait()
	var done []DownloadedArtifact
	for i, a := range artifacts {
		if errs[i] == nil {
			done = append(done, DownloadedArtifact{Artifact: a, Path: filepath.Join(d.dir, names[i]), Size: sizes[i]})
		}
	}
	return done, errors.Join(errs...)
}

// fetch downloads one file. What is left of one that fails is removed.
func (d *downloads) fetch(ctx context.Context, a Artifact, name string) (size int64, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if err := d.root.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return 0, err
	}
	partial := name + "." + strconv.FormatUint(rand.Uint64(), 36) + ".partial"
	file, err := d.root.OpenFile(partial, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return 0, err
	}
	report := func(p DownloadProgress) {
		if d.options.OnProgress != nil {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.options.OnProgress(p)
		}
	}
	var total int64
	size, err = d.service.download(ctx, a, file, func(written, of int64) {
		total = of
		report(DownloadProgress{Artifact: a, Path: name, Written: written, Total: of})
	}, d.opts)
	err = errors.Join(err, file.Close())
	if err == nil {
		err = d.root.Rename(partial, name)
	}
	if err != nil {
		return 0, errors.Join(err, d.root.Remove(partial))
	}
	report(DownloadProgress{Artifact: a, Path: name, Written: size, Total: max(total, size), Done: true})
	return size, nil
}

// localNames are the names of the artifacts' files, each its own.
func localNames(artifacts []Artifact) []string {
	severalNodes := false
	for _, a := range artifacts {
		severalNodes = severalNodes || a.NodeIndex != artifacts[0].NodeIndex
	}
	names := make([]string, len(artifacts))
	taken := map[string]bool{} // by files, and by the directories of files
	for i, a := range artifacts {
		names[i] = localName(a.Path)
		if severalNodes {
			names[i] = filepath.Join(strconv.FormatInt(a.NodeIndex, 10), names[i])
		}
		for dir := filepath.Dir(names[i]); dir != "."; dir = filepath.Dir(dir) {
			taken[strings.ToLower(dir)] = true
		}
	}
	for i, name := range names {
		for n := 2; taken[strings.ToLower(names[i])]; n++ {
			names[i] = name + "~" + strconv.Itoa(n)
		}
		taken[strings.ToLower(names[i])] = true
	}
	return names
}

// localName makes of a path that comes from a server one that is relative, has
// no way up, and is a name on each system.
func localName(p string) string {
	var parts []string
	for part := range strings.FieldsFuncSeq(p, func(r rune) bool { return r == '/' || r == '\\' }) {
		if part = localPart(part); part != "" {
			parts = append(parts, part)
		}
	}
	if len(parts) == 0 {
		return "artifact"
	}
	return filepath.Join(parts...)
}

func localPart(part string) string {
	part = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || strings.ContainsRune(`<>:"|?*`, r) || r == unicode.ReplacementChar {
			return '_'
		}
		return r
	}, part)
	const most = 200 // bytes; systems take 255, with a suffix
	if len(part) > most {
		part = strings.ToValidUTF8(part[:most], "")
	}
	part = strings.TrimRight(part, ". ")       // also what leads up, or nowhere
	if !filepath.IsLocal(part) && part != "" { // a device's name, on some systems
		return "_" + part
	}
	return part
}
