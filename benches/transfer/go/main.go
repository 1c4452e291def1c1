// The yardsticks of benches/transfer: a copy that syncs each file, and nats.go's object store with a sync each.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// names of the files in a folder.
func names(folder string) []string {
	entries, err := os.ReadDir(folder)
	check(err)
	var found []string
	for _, entry := range entries {
		found = append(found, entry.Name())
	}
	return found
}

// each does the work for all names, so many at once.
func each(names []string, atOnce int, work func(string)) {
	next := make(chan string)
	var all sync.WaitGroup
	for range atOnce {
		all.Add(1)
		go func() {
			defer all.Done()
			for name := range next {
				work(name)
			}
		}()
	}
	for _, name := range names {
		next <- name
	}
	close(next)
	all.Wait()
}

// write puts a file under a temporary name, syncs it, and gives it its name.
func write(folder, name string, from io.Reader) {
	part := filepath.Join(folder, "."+name+".part")
	file, err := os.OpenFile(part, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o640)
	check(err)
	_, err = io.CopyBuffer(struct{ io.Writer }{file}, from, make([]byte, 1<<20))
	check(err)
	check(file.Sync())
	check(file.Close())
	check(os.Rename(part, filepath.Join(folder, name)))
}

func syncFolder(folder string) {
	file, err := os.Open(folder)
	check(err)
	check(file.Sync())
	check(file.Close())
}

func main() {
	// copy|objects SOURCE TARGET AT_ONCE [URL]
	mode, source, target := os.Args[1], os.Args[2], os.Args[3]
	atOnce, err := strconv.Atoi(os.Args[4])
	check(err)
	all := names(source)
	if mode == "copy" {
		each(all, atOnce, func(name string) {
			file, err := os.Open(filepath.Join(source, name))
			check(err)
			defer file.Close()
			write(target, name, struct{ io.Reader }{file})
		})
		syncFolder(target)
		return
	}
	connection, err := nats.Connect(os.Args[5])
	check(err)
	defer connection.Close()
	stream, err := jetstream.New(connection)
	check(err)
	// With a background context, a read has 5 s for the whole object.
	whole, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	store, err := stream.CreateObjectStore(whole, jetstream.ObjectStoreConfig{Bucket: "bench", Storage: jetstream.FileStorage})
	check(err)
	each(all, atOnce, func(name string) {
		file, err := os.Open(filepath.Join(source, name))
		check(err)
		defer file.Close()
		_, err = store.Put(whole, jetstream.ObjectMeta{Name: name}, file)
		check(err)
	})
	each(all, atOnce, func(name string) {
		object, err := store.Get(whole, name)
		check(err)
		write(target, name, object)
		check(object.Close())
	})
	syncFolder(target)
}
