using EditorBridge.Host.Assets;
using EditorBridge.Protocol.V1;
using Google.Protobuf;
using Microsoft.Data.Sqlite;
using static EditorBridge.Host.Jobs.JobDatabase;

namespace EditorBridge.Host.Jobs;

internal sealed partial class JobStore
{
    private const string Columns = """
        id, request_hash, state, priority, attempt, failures, max_attempts, fence, cancel_requested, spec, labels, plan, progress, error,
        created, started, ended, updated, sequence
        """;

    /// <summary>Jobs, newest first.</summary>
    /// <param name="states">States as the contract has them; empty for all.</param>
    /// <param name="after">Where the page before ended: (created, id) of its last job; null for the first page.</param>
    /// <param name="limit">The most jobs.</param>
    public IReadOnlyList<StoredJob> List(IReadOnlyCollection<Job.Types.State> states, (long Created, string Id)? after, int limit) =>
        database.Read(connection =>
        {
            var wanted = states.Count == 0 ? "1 = 1" : string.Join(" OR ", states.Select(Condition));
            using var command = Command(connection, $"""
                SELECT {Columns} FROM jobs
                WHERE ({wanted}) AND ($created IS NULL OR (created, id) < ($created, $id))
                ORDER BY created DESC, id DESC LIMIT $limit
                """, ("$created", after?.Created), ("$id", after?.Id), ("$limit", limit));
            return (IReadOnlyList<StoredJob>)ReadAll(connection, command);
        });

    /// <summary>Ids of all jobs.</summary>
    public IReadOnlySet<string> AllIds() => database.Read(connection =>
    {
        using var command = Command(connection, "SELECT id FROM jobs");
        using var reader = command.ExecuteReader();
        var ids = new HashSet<string>(StringComparer.Ordinal);
        while (reader.Read()) ids.Add(reader.GetString(0));
        return (IReadOnlySet<string>)ids;
    });

    /// <summary>Jobs that have ended, the first to end first.</summary>
    public IReadOnlyList<(string Id, DateTimeOffset Ended)> Ended() => database.Read(connection =>
    {
        using var command = Command(connection, "SELECT id, ended FROM jobs WHERE state IN (4, 5, 6) AND ended IS NOT NULL ORDER BY ended, id");
        using var reader = command.ExecuteReader();
        var jobs = new List<(string, DateTimeOffset)>();
        while (reader.Read()) jobs.Add((reader.GetString(0), DateTimeOffset.FromUnixTimeMilliseconds(reader.GetInt64(1))));
        return (IReadOnlyList<(string, DateTimeOffset)>)jobs;
    });

    /// <summary>Hashes of the uploaded files that waiting and running jobs need.</summary>
    public IReadOnlySet<string> NeededAssets() => database.Read(connection =>
    {
        using var command = Command(connection, "SELECT spec FROM jobs WHERE state IN (1, 2)");
        using var reader = command.ExecuteReader();
        var hashes = new HashSet<string>(StringComparer.Ordinal);
        while (reader.Read()) hashes.UnionWith(AssetName.HashesIn(JobSpec.Parser.ParseFrom(reader.GetFieldValue<byte[]>(0))));
        return (IReadOnlySet<string>)hashes;
    });

    private static string Condition(Job.Types.State state) => state switch
    {
        Job.Types.State.Running => "(state = 2 AND cancel_requested = 0)",
        Job.Types.State.Cancelling => "(state = 2 AND cancel_requested = 1)",
        _ => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"state = {(int)state}"),
    };

    private static StoredJob? One(SqliteConnection connection, string condition, string value)
    {
        using var command = Command(connection, $"SELECT {Columns} FROM jobs WHERE {condition}", ("$v", value));
        return ReadAll(connection, command).SingleOrDefault();
    }

    private static List<StoredJob> ReadAll(SqliteConnection connection, SqliteCommand command)
    {
        var jobs = new List<StoredJob>();
        using (var reader = command.ExecuteReader())
            while (reader.Read()) jobs.Add(Row(reader));
        for (var i = 0; i < jobs.Count; i++) jobs[i] = jobs[i] with { Clips = ClipsOf(connection, jobs[i].Id) };
        return jobs;
    }

    private static Dictionary<int, Clip> ClipsOf(SqliteConnection connection, string id)
    {
        using var command = Command(connection, "SELECT take, clip FROM clips WHERE job = $id ORDER BY take", ("$id", id));
        using var reader = command.ExecuteReader();
        var clips = new Dictionary<int, Clip>();
        while (reader.Read()) clips.Add(reader.GetInt32(0), Clip.Parser.ParseFrom(reader.GetFieldValue<byte[]>(1)));
        return clips;
    }

    private static StoredJob Row(SqliteDataReader row) => new()
    {
        Id = row.GetString(0),
        RequestHash = row.GetFieldValue<byte[]>(1),
        State = (RowState)row.GetInt32(2),
        Priority = row.GetInt32(3),
        Attempt = row.GetInt32(4),
        Failures = row.GetInt32(5),
        MaxAttempts = row.GetInt32(6),
        Fence = row.GetInt64(7),
        CancelRequested = row.GetBoolean(8),
        Spec = JobSpec.Parser.ParseFrom(row.GetFieldValue<byte[]>(9)),
        Labels = Job.Parser.ParseFrom(row.GetFieldValue<byte[]>(10)),
        Plan = Plan.Parser.ParseFrom(row.GetFieldValue<byte[]>(11)),
        Progress = Blob(row, 12, JobProgress.Parser),
        Error = Blob(row, 13, Google.Rpc.Status.Parser),
        Clips = new Dictionary<int, Clip>(),
        Created = DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(14)),
        Started = Time(row, 15),
        Ended = Time(row, 16),
        Updated = DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(17)),
        Sequence = row.GetInt64(18),
    };

    private static T? Blob<T>(SqliteDataReader row, int column, MessageParser<T> parser) where T : class, IMessage<T> =>
        row.IsDBNull(column) ? null : parser.ParseFrom(row.GetFieldValue<byte[]>(column));

    private static DateTimeOffset? Time(SqliteDataReader row, int column) =>
        row.IsDBNull(column) ? null : DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(column));
}
