using Microsoft.Data.Sqlite;

namespace EditorBridge.Host.Jobs;

/// <summary>The SQLite file of the job rows: its settings, and its shape through the versions.</summary>
internal sealed class JobDatabase : IDisposable
{
    /// <summary>Milliseconds since 1970 by the database's own clock: leases are never compared with another clock.</summary>
    public const string Now = "CAST(unixepoch('subsec') * 1000 AS INTEGER)";

    private const int Full = 13;

    // SQLITE_IOERR_SHMSIZE: no room for the index of the log.
    private const int SharedMemorySize = 4874;

    // One entry takes the file from version i to i + 1.
    private static readonly string[] Migrations =
    [
        """
        CREATE TABLE jobs (
            id               TEXT PRIMARY KEY,
            request_id       TEXT UNIQUE,
            request_hash     BLOB NOT NULL,
            state            INTEGER NOT NULL,
            priority         INTEGER NOT NULL,
            model            TEXT NOT NULL,
            memory_bytes     INTEGER NOT NULL,
            run_after        INTEGER NOT NULL,
            attempt          INTEGER NOT NULL DEFAULT 0,
            failures         INTEGER NOT NULL DEFAULT 0,
            max_attempts     INTEGER NOT NULL,
            lease_owner      TEXT,
            lease_until      INTEGER,
            fence            INTEGER NOT NULL DEFAULT 0,
            cancel_requested INTEGER NOT NULL DEFAULT 0,
            sequence         INTEGER NOT NULL DEFAULT 0,
            spec             BLOB NOT NULL,
            labels           BLOB NOT NULL,
            plan             BLOB NOT NULL,
            progress         BLOB,
            error            BLOB,
            error_reason     TEXT,
            created          INTEGER NOT NULL,
            started          INTEGER,
            ended            INTEGER,
            updated          INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX jobs_by_turn ON jobs (state, run_after, priority);
        CREATE INDEX jobs_by_age ON jobs (created, id);
        CREATE TABLE clips (
            job   TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
            take  INTEGER NOT NULL,
            clip  BLOB NOT NULL,
            PRIMARY KEY (job, take)
        ) STRICT;
        """,
    ];

    private readonly string _connectionString;
    private readonly SqliteConnection _writer;
    private readonly Func<bool> _makeRoom;

    // The provider's connection is not for several threads, and SQLite takes one writer at a time anyway.
    private readonly Lock _writing = new();

    /// <summary>Opens the file, or makes it, and brings it to this version's shape.</summary>
    /// <param name="path">The file.</param>
    /// <param name="makeRoom">Asked when the disk is full; says whether there is some space now.</param>
    /// <exception cref="InvalidDataException">It was written by a later version, or is damaged.</exception>
    public JobDatabase(string path, Func<bool>? makeRoom = null)
    {
        _makeRoom = makeRoom ?? (() => false);
        _connectionString = new SqliteConnectionStringBuilder { DataSource = path, DefaultTimeout = 10, ForeignKeys = true, Pooling = true }.ToString();
        _writer = new SqliteConnection(_connectionString);
        try
        {
            _writer.Open();
            Execute(_writer, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF;");
            Migrate(path);
        }
        catch (SqliteException e) when (e.SqliteErrorCode is 11 or 26)
        {
            _writer.Dispose();
            throw new InvalidDataException($"The job database {path} is damaged ({e.Message}); move it away and the host makes a new one.", e);
        }
        catch
        {
            _writer.Dispose();
            throw;
        }
    }

    /// <summary>Runs <paramref name="work"/> in one transaction, alone among writers; once more when the disk was full and there is room now.</summary>
    public T Write<T>(Func<SqliteConnection, T> work)
    {
        lock (_writing)
        {
            try
            {
                return WriteOnce(work);
            }
            catch (SqliteException e) when (IsFull(e) && _makeRoom())
            {
                return WriteOnce(work);
            }
        }
    }

    /// <summary>Whether <paramref name="error"/> says that the disk is full.</summary>
    public static bool IsFull(SqliteException error) => error.SqliteErrorCode == Full || error.SqliteExtendedErrorCode == SharedMemorySize;

    /// <summary>Runs <paramref name="work"/> on what is committed, beside any writer.</summary>
    public T Read<T>(Func<SqliteConnection, T> work)
    {
        using var connection = new SqliteConnection(_connectionString);
        connection.Open();
        return work(connection);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_writing)
        {
            try
            {
                Execute(_writer, "PRAGMA wal_checkpoint(TRUNCATE)");
            }
            catch (SqliteException)
            {
                // The log is read again at the next start.
            }

            _writer.Dispose();
        }

        using var pool = new SqliteConnection(_connectionString);
        SqliteConnection.ClearPool(pool);
    }

    /// <summary>A command with named values.</summary>
    public static SqliteCommand Command(SqliteConnection connection, string sql, params (string Name, object? Value)[] values)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        foreach (var (name, value) in values) command.Parameters.AddWithValue(name, value ?? DBNull.Value);
        return command;
    }

    /// <summary>Runs a statement and says how many rows it changed.</summary>
    public static int Execute(SqliteConnection connection, string sql, params (string Name, object? Value)[] values)
    {
        using var command = Command(connection, sql, values);
        return command.ExecuteNonQuery();
    }

    private T WriteOnce<T>(Func<SqliteConnection, T> work)
    {
        using var transaction = _writer.BeginTransaction();
        var result = work(_writer);
        transaction.Commit();
        return result;
    }

    private void Migrate(string path)
    {
        using var query = Command(_writer, "PRAGMA user_version");
        var version = Convert.ToInt32(query.ExecuteScalar(), System.Globalization.CultureInfo.InvariantCulture);
        if (version > Migrations.Length)
            throw new InvalidDataException($"The job database {path} was written by a later version of EditorBridge; update this one.");
        for (; version < Migrations.Length; version++)
        {
            using var transaction = _writer.BeginTransaction();
            Execute(_writer, Migrations[version]);
            Execute(_writer, $"PRAGMA user_version = {version + 1}");
            transaction.Commit();
        }
    }
}
