using System.Collections.Concurrent;
using System.Globalization;
using EditorBridge.Client;

namespace EditorBridge.Native.OpenFx;

/// <summary>
/// Clips whose frames are mapped, for all instances together: some hosts make an instance for every frame. Asking never waits: what is not there is
/// fetched meanwhile.
/// </summary>
internal static class ShownClips
{
    // A clip that could not be had is asked for again after this time: its job may not have ended yet.
    private static readonly TimeSpan Again = TimeSpan.FromSeconds(2);

    private static readonly ConcurrentDictionary<string, Entry> Entries = new(StringComparer.Ordinal);

    /// <summary>The frames of a clip if they are mapped, to be disposed after use; else null, and they are being fetched from now.</summary>
    /// <param name="clip">"jobs/.../clips/...".</param>
    /// <param name="bits">8 or 16.</param>
    /// <param name="known">What <see cref="OpenAsync"/> gave when the frames were laid out last; a file that is still there is taken at once.</param>
    public static ShownFrames? Find(string clip, int bits, string known) => EntryOf(clip, bits, known).Frames is { } frames && frames.TryUse() ? frames : null;

    /// <summary>The same, but waits for the frames within a limit.</summary>
    public static void Await(string clip, int bits, string known, TimeSpan limit)
    {
        var entry = EntryOf(clip, bits, known);
        if (entry.Frames is null) entry.Ended.Wait(limit);
    }

    /// <summary>Has the frames laid out and maps them.</summary>
    /// <returns>What to keep of it, for <see cref="Find"/>.</returns>
    /// <exception cref="EditorBridgeException">The frames cannot be had.</exception>
    public static async Task<string> OpenAsync(string clip, int bits, CancellationToken cancellation)
    {
        var client = await HostClient.GetAsync(cancellation).ConfigureAwait(false);
        // The file may go between the answer and the mapping.
        for (var tries = 0; ; tries++)
        {
            var file = await client.PrepareFramesAsync(clip, bits, cancellation: cancellation).ConfigureAwait(false);
            if (MappedFrames.Open(file.LocalPath) is { } frames)
            {
                Keep(Key(clip, bits), frames);
                return $"{Key(clip, bits)} {file.LocalPath}";
            }

            if (tries == 2) throw new EditorBridgeException("FRAMES_UNREADABLE", $"The frames at {file.LocalPath} cannot be read by this program.");
        }
    }

    /// <summary>Forgets everything.</summary>
    public static void Clear()
    {
        foreach (var key in Entries.Keys)
            if (Entries.TryRemove(key, out var entry)) entry.Frames?.Dispose();
    }

    /// <summary>Takes frames in; those that were mapped before end when nobody shows them any more.</summary>
    internal static void Keep(string key, MappedFrames frames)
    {
        var entry = new Entry { Frames = new ShownFrames(frames) };
        entry.Ended.Set();
        while (true)
        {
            if (!Entries.TryGetValue(key, out var old))
            {
                if (Entries.TryAdd(key, entry)) return;
            }
            else if (Entries.TryUpdate(key, entry, old))
            {
                old.Frames?.Dispose();
                return;
            }
        }
    }

    private static string Key(string clip, int bits) => string.Create(CultureInfo.InvariantCulture, $"{clip} {bits}");

    private static Entry EntryOf(string clip, int bits, string known)
    {
        var key = Key(clip, bits);
        if (Entries.TryGetValue(key, out var entry) && (entry.Frames is not null || !entry.Ended.IsSet || TimeProvider.System.GetElapsedTime(entry.Began) < Again)) return entry;
        var fresh = new Entry();
        if (known.StartsWith(key + " ", StringComparison.Ordinal) && MappedFrames.Open(known[(key.Length + 1)..]) is { } frames)
        {
            fresh.Frames = new ShownFrames(frames);
            fresh.Ended.Set();
        }

        // Whoever comes second takes what the first one began.
        if (entry is null ? !Entries.TryAdd(key, fresh) : !Entries.TryUpdate(key, fresh, entry))
        {
            fresh.Frames?.Dispose();
            return Entries.TryGetValue(key, out var other) ? other : fresh;
        }

        if (fresh.Frames is null) Task.Run(() => FetchAsync(clip, bits, fresh));
        return fresh;
    }

    private static async Task FetchAsync(string clip, int bits, Entry entry)
    {
        try
        {
            await OpenAsync(clip, bits, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception)
        {
            // It is asked for again, and the source is shown until then.
        }
        finally
        {
            entry.Ended.Set();
        }
    }

    private sealed class Entry
    {
        public ShownFrames? Frames { get; set; }

        public ManualResetEventSlim Ended { get; } = new();

        public long Began { get; } = TimeProvider.System.GetTimestamp();
    }
}
