// SPDX-License-Identifier: EUPL-1.2

package cmd

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/ozg-cloud/platform/internal/cluster"
)

// developmentDatabase is the name of the database in a private cluster.
const developmentDatabase = "ozg"

// owned gives the address of the database for its owner: the configured one, or that of the private cluster, which is started unless
// another process of this house runs it. stop ends what was started.
func owned(ctx context.Context, c console) (address string, stop func(), err error) {
	if c.config.DatabaseURL != "" {
		return string(c.config.DatabaseURL), func() {}, nil
	}
	dir, err := filepath.Abs(filepath.Join(c.config.Data, "postgres"))
	if err != nil {
		return "", nil, fmt.Errorf("finding the data folder: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o711); err != nil {
		return "", nil, fmt.Errorf("making the data folder: %w", err)
	}
	db, err := cluster.Start(ctx, cluster.Options{Dir: dir, Durable: true, Keep: true})
	if errors.Is(err, cluster.ErrUnreachable) {
		// As root below a closed folder such as /root: the server runs as another user, who has to get there.
		sum := sha256.Sum256([]byte(dir))
		dir = filepath.Join("/var/tmp", "ozg-"+hex.EncodeToString(sum[:6]))
		fmt.Fprintf(c.errOut, "the database lies in %s, because the user who runs it cannot enter the data folder\n", dir)
		db, err = cluster.Start(ctx, cluster.Options{Dir: dir, Durable: true, Keep: true})
	}
	if errors.Is(err, cluster.ErrRunning) {
		return cluster.URL(dir, cluster.Superuser, developmentDatabase), func() {}, nil
	}
	if err != nil {
		return "", nil, err
	}
	stop = func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
		defer cancel()
		if err := db.Stop(ctx); err != nil {
			c.log.Error("the database did not stop in time", "error", err)
		}
	}
	if err := ensure(ctx, db); err != nil {
		stop()
		return "", nil, err
	}
	return db.URL(cluster.Superuser, developmentDatabase), stop, nil
}

func ensure(ctx context.Context, db *cluster.Cluster) error {
	conn, err := pgx.Connect(ctx, db.URL(cluster.Superuser, "postgres"))
	if err != nil {
		return fmt.Errorf("connecting to the private cluster: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var there bool
	if err := conn.QueryRow(ctx, "select exists (select from pg_database where datname = $1)", developmentDatabase).Scan(&there); err != nil {
		return fmt.Errorf("looking for the database: %w", err)
	}
	if there {
		return nil
	}
	return db.CreateDatabase(ctx, developmentDatabase, "")
}
