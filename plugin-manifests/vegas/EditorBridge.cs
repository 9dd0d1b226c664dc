// A script for VEGAS Pro 14 and later (Tools > Scripting > Run Script). VEGAS compiles it itself, with C# 5 and .NET Framework 4.
//
// It writes the video tracks as an OpenTimelineIO timeline, lets the editorbridge program make the frames, and puts the new clip in its place.

using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Text;
using ScriptPortal.Vegas;

/// <summary>What is asked for.</summary>
public class GenerationRequest
{
    /// <summary>"broll", "extend" or "fill".</summary>
    public string Kind;

    /// <summary>What is to be seen.</summary>
    public string Prompt;

    /// <summary>Frames of an extension.</summary>
    public int Frames;

    /// <summary>Extend the start rather than the end.</summary>
    public bool Head;
}

/// <summary>Something the user can put right.</summary>
public class GenerationRefused : Exception
{
    public GenerationRefused(string message)
        : base(message)
    {
    }
}

/// <summary>One job from the timeline to the timeline.</summary>
public class Generation
{
    private const int MostEarlyMedia = 4;

    private readonly Vegas vegas;
    private readonly string program;
    private long numerator;
    private long denominator;

    public Generation(Vegas vegas, string program)
    {
        this.vegas = vegas;
        this.program = program;
    }

    /// <summary>Runs the job. Reports a sentence and a part from 0 to 1; the answer says whether to go on.</summary>
    /// <returns>The new event.</returns>
    public VideoEvent Run(GenerationRequest request, Func<string, double, bool> report)
    {
        if (request.Prompt == null || request.Prompt.Trim().Length == 0) throw new GenerationRefused("The prompt is empty: say what is to be seen.");
        RateOf(vegas.Project.Video.FrameRate, out numerator, out denominator);
        List<VideoTrack> tracks = Tracks();
        List<string> arguments = Place(request, tracks);
        string folder = Path.Combine(Path.GetTempPath(), "editorbridge-" + Guid.NewGuid().ToString("N"));
        Directory.CreateDirectory(folder);
        try
        {
            string timeline = Path.Combine(folder, "cut.otio");
            File.WriteAllText(timeline, Otio(tracks), new UTF8Encoding(false));
            arguments.InsertRange(0, new[] { request.Kind, "--json", "--timeline", timeline, "--out", Path.Combine(folder, "out.otio"), "--media-dir", MediaFolder(),
                "--size", vegas.Project.Video.Width + "x" + vegas.Project.Video.Height, "--generate", "--prompt", request.Prompt });
            Dictionary<string, object> clip = Carry(arguments, report);
            return Insert(clip);
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    /// <summary>
    /// Lets the host start and look into the media that a job would need as things are, so that the job need not wait for it. Returns at once; whatever goes wrong here,
    /// the job itself will say.
    /// </summary>
    public void LookEarly()
    {
        try
        {
            List<string> arguments = EarlyMedia();
            if (arguments.Count == 0) return;
            arguments.InsertRange(0, new[] { "media", "show" });
            ProcessStartInfo start = new ProcessStartInfo(program, CommandLine(arguments));
            start.UseShellExecute = false;
            start.CreateNoWindow = true;
            Process.Start(start).Dispose();
        }
        catch (Exception)
        {
            // Nobody asked for it, so nobody is told.
        }
    }

    // Of the events that a fill would lie between and of those that an extension would lengthen; else of one that is there, for the start of the host.
    private List<string> EarlyMedia()
    {
        RateOf(vegas.Project.Video.FrameRate, out numerator, out denominator);
        List<VideoTrack> tracks = Tracks();
        List<string> paths = new List<string>();
        Gap gap = GapAt(tracks, FrameOf(vegas.Transport.CursorPosition));
        if (gap != null)
        {
            Remember(paths, gap.Before);
            Remember(paths, gap.After);
        }

        foreach (VideoTrack track in tracks)
            foreach (TrackEvent item in track.Events)
                if (item.Selected) Remember(paths, item);
        foreach (VideoTrack track in tracks)
            foreach (TrackEvent item in track.Events)
                if (paths.Count == 0) Remember(paths, item);
        return paths;
    }

    private static void Remember(List<string> paths, TrackEvent item)
    {
        string path = MediaOf(item);
        if (paths.Count < MostEarlyMedia && !string.IsNullOrEmpty(path) && File.Exists(path) && !paths.Contains(path)) paths.Add(path);
    }

    private static string MediaOf(TrackEvent item)
    {
        return item.ActiveTake == null || item.ActiveTake.Media == null ? null : item.ActiveTake.Media.FilePath;
    }

    /// <summary>The exact rate that a decimal stands for: VEGAS has 23.976 for 24000/1001.</summary>
    public static void RateOf(double rate, out long numerator, out long denominator)
    {
        double nearest = Math.Round(rate);
        if (Math.Abs(rate - nearest) < 0.0001)
        {
            numerator = (long)nearest;
            denominator = 1;
            return;
        }

        long ceiling = (long)Math.Ceiling(rate);
        if (Math.Abs(rate - ceiling * 1000.0 / 1001.0) > 0.0075)
            throw new GenerationRefused("The project's frame rate " + rate.ToString(CultureInfo.InvariantCulture) + " is none that clips can have: choose a standard one in the project's properties.");
        numerator = ceiling * 1000;
        denominator = 1001;
    }

    // VEGAS lists the topmost track first; a timeline's lowest is 1.
    private List<VideoTrack> Tracks()
    {
        List<VideoTrack> tracks = new List<VideoTrack>();
        foreach (Track track in vegas.Project.Tracks)
            if (track is VideoTrack) tracks.Insert(0, (VideoTrack)track);
        if (tracks.Count == 0) throw new GenerationRefused("The project has no video track.");
        return tracks;
    }

    private List<string> Place(GenerationRequest request, List<VideoTrack> tracks)
    {
        List<string> arguments = new List<string>();
        if (request.Kind == "broll")
        {
            long start = FrameOf(vegas.Transport.SelectionStart), length = FrameOf(vegas.Transport.SelectionLength);
            // A selection that was dragged leftwards has a negative length.
            if (length < 0)
            {
                start += length;
                length = -length;
            }

            if (length == 0) throw new GenerationRefused("Nothing is selected on the time line: drag over the range to cover.");
            arguments.AddRange(new[] { "--in", Text(start), "--out-point", Text(start + length) });
            return arguments;
        }

        if (request.Kind == "extend")
        {
            if (request.Frames < 1) throw new GenerationRefused("Say by how many frames the event is made longer: 1 or more.");
            for (int i = 0; i < tracks.Count; i++)
            {
                foreach (TrackEvent item in tracks[i].Events)
                {
                    if (!item.Selected) continue;
                    if (arguments.Count > 0) throw new GenerationRefused("Several events are selected: select the one to make longer.");
                    // By the frame in its middle, which no crossfade gives to another.
                    long start = FrameOf(item.Start), end = FrameOf(item.Start + item.Length);
                    arguments.AddRange(new[] { "--track", Text(i + 1), "--in", Text(start + (end - start) / 2), "--frames", Text(request.Frames) });
                    if (request.Head) arguments.Add("--head");
                }
            }

            if (arguments.Count == 0) throw new GenerationRefused("No event is selected: select the one to make longer.");
            return arguments;
        }

        Gap gap = GapAt(tracks, FrameOf(vegas.Transport.CursorPosition));
        if (gap == null) throw new GenerationRefused("There is no gap between two events at the cursor: put it into one.");
        arguments.AddRange(new[] { "--track", Text(gap.Track), "--in", Text(gap.From), "--out-point", Text(gap.To) });
        return arguments;
    }

    // Free frames between two events of a track, which is counted from 1, the lowest.
    private class Gap
    {
        public int Track;
        public long From;
        public long To;
        public TrackEvent Before;
        public TrackEvent After;
    }

    // Of the lowest track that has one there; null where none has.
    private Gap GapAt(List<VideoTrack> tracks, long cursor)
    {
        for (int i = 0; i < tracks.Count; i++)
        {
            Gap gap = new Gap { Track = i + 1 };
            bool covered = false;
            foreach (TrackEvent item in tracks[i].Events)
            {
                long start = FrameOf(item.Start), end = FrameOf(item.Start + item.Length);
                if (start <= cursor && cursor < end) covered = true;
                if (end <= cursor && (gap.Before == null || end > gap.From))
                {
                    gap.Before = item;
                    gap.From = end;
                }

                if (start > cursor && (gap.After == null || start < gap.To))
                {
                    gap.After = item;
                    gap.To = start;
                }
            }

            if (!covered && gap.Before != null && gap.After != null) return gap;
        }

        return null;
    }

    private string MediaFolder()
    {
        string project = vegas.Project.FilePath;
        string parent = string.IsNullOrEmpty(project) ? Environment.GetFolderPath(Environment.SpecialFolder.MyVideos) : Path.GetDirectoryName(project);
        return Path.Combine(parent, "EditorBridge clips");
    }

    // Frames, not seconds: a time of VEGAS is rounded to the frame it means.
    private long FrameOf(Timecode time)
    {
        return (long)Math.Round(time.ToMilliseconds() * numerator / (1000.0 * denominator));
    }

    private Timecode TimeOf(long frame)
    {
        return Timecode.FromMilliseconds(frame * 1000.0 * denominator / numerator);
    }

    private string Otio(List<VideoTrack> tracks)
    {
        List<string> children = new List<string>();
        for (int i = 0; i < tracks.Count; i++)
        {
            List<string> items = new List<string>();
            long at = 0;
            foreach (Piece piece in Pieces(tracks[i]))
            {
                if (piece.From > at) items.Add(Schema("Gap.1", "\"name\":\"\",\"source_range\":" + Range(0, piece.From - at)));
                if (piece.MixedBefore + piece.MixedAfter > 0)
                {
                    items.Add(Schema("Transition.1", "\"name\":\"crossfade\",\"transition_type\":\"SMPTE_Dissolve\",\"in_offset\":" + Time(piece.MixedBefore)
                        + ",\"out_offset\":" + Time(piece.MixedAfter)));
                }

                items.Add(piece.Event == null ? Overlapping(piece.To - piece.From) : Clip(piece.Event, piece.From - FrameOf(piece.Event.Start), piece.To - piece.From));
                at = piece.To;
            }

            children.Add(Schema("Track.1", "\"name\":\"V" + Text(i + 1) + "\",\"kind\":\"Video\",\"source_range\":null,\"children\":[" + string.Join(",", items.ToArray()) + "]"));
        }

        return Schema("Timeline.1", "\"name\":\"VEGAS\",\"global_start_time\":" + Time(0) + ",\"tracks\":"
            + Schema("Stack.1", "\"name\":\"tracks\",\"source_range\":null,\"children\":[" + string.Join(",", children.ToArray()) + "]"));
    }

    // An event's frames on its track. Events that overlap crossfade there: they are made to meet in the middle, and the frames they mix are told.
    private class Piece
    {
        // Null for events that lie over each other in another way: nothing is to be gone on from there.
        public TrackEvent Event;
        public long From;
        public long To;
        public long MixedBefore;
        public long MixedAfter;
    }

    private List<Piece> Pieces(VideoTrack track)
    {
        List<Piece> pieces = new List<Piece>();
        foreach (TrackEvent item in track.Events) pieces.Add(new Piece { Event = item, From = FrameOf(item.Start), To = FrameOf(item.Start + item.Length) });
        pieces.RemoveAll(piece => piece.To <= piece.From);
        pieces.Sort((a, b) => a.From != b.From ? a.From.CompareTo(b.From) : a.To.CompareTo(b.To));
        for (int i = 1; i < pieces.Count; i++)
        {
            Piece one = pieces[i - 1], other = pieces[i];
            if (other.From >= one.To) continue;
            long middle = other.From + (one.To - other.From) / 2;
            bool isCrossfade = one.Event != null && other.To > one.To && middle > one.From && (i + 1 == pieces.Count || pieces[i + 1].From >= one.To);
            if (isCrossfade)
            {
                other.MixedBefore = middle - other.From;
                other.MixedAfter = one.To - middle;
                one.To = middle;
                other.From = middle;
                continue;
            }

            one.Event = null;
            one.To = Math.Max(one.To, other.To);
            pieces.RemoveAt(i--);
        }

        return pieces;
    }

    private string Overlapping(long frames)
    {
        return Schema("Clip.2", "\"name\":\"events that overlap\",\"source_range\":" + Range(0, frames) + ",\"effects\":[],\"active_media_reference_key\":\"DEFAULT_MEDIA\",\"media_references\":{\"DEFAULT_MEDIA\":"
            + Schema("MissingReference.1", "\"available_range\":null") + "}");
    }

    private string Clip(TrackEvent item, long since, long frames)
    {
        Take take = item.ActiveTake;
        string path = MediaOf(item);
        string name = string.IsNullOrEmpty(path) ? "event" : Path.GetFileNameWithoutExtension(path);
        long offset = since + (take == null ? 0 : FrameOf(take.Offset));
        bool isFile = !string.IsNullOrEmpty(path) && File.Exists(path);
        long held = take == null ? frames : Math.Max(offset + frames, FrameOf(take.Length));
        string media = isFile
            ? Schema("ExternalReference.1", "\"target_url\":" + Quote(new Uri(path).AbsoluteUri) + ",\"available_range\":" + Range(0, held))
            : Schema("MissingReference.1", "\"available_range\":null");
        string effects = item.PlaybackRate == 1.0 ? "" : Schema("LinearTimeWarp.1", "\"name\":\"\",\"effect_name\":\"\",\"time_scalar\":" + item.PlaybackRate.ToString("R", CultureInfo.InvariantCulture));
        return Schema("Clip.2", "\"name\":" + Quote(name) + ",\"source_range\":" + Range(offset, frames) + ",\"effects\":[" + effects
            + "],\"active_media_reference_key\":\"DEFAULT_MEDIA\",\"media_references\":{\"DEFAULT_MEDIA\":" + media + "}");
    }

    private string Range(long start, long duration)
    {
        return Schema("TimeRange.1", "\"start_time\":" + Time(start) + ",\"duration\":" + Time(duration));
    }

    private string Time(long frame)
    {
        return Schema("RationalTime.1", "\"rate\":" + ((double)numerator / denominator).ToString("R", CultureInfo.InvariantCulture) + ",\"value\":" + Text(frame));
    }

    private static string Schema(string name, string members)
    {
        return "{\"OTIO_SCHEMA\":\"" + name + "\"," + members + "}";
    }

    private static string Text(long number)
    {
        return number.ToString(CultureInfo.InvariantCulture);
    }

    private static string Quote(string text)
    {
        StringBuilder quoted = new StringBuilder("\"");
        foreach (char c in text)
        {
            if (c == '"' || c == '\\') quoted.Append('\\').Append(c);
            else if (c < ' ') quoted.Append("\\u").Append(((int)c).ToString("x4", CultureInfo.InvariantCulture));
            else quoted.Append(c);
        }

        return quoted.Append('"').ToString();
    }

    private Dictionary<string, object> Carry(List<string> arguments, Func<string, double, bool> report)
    {
        ProcessStartInfo start = new ProcessStartInfo(program, CommandLine(arguments));
        start.UseShellExecute = false;
        start.CreateNoWindow = true;
        start.RedirectStandardOutput = true;
        start.RedirectStandardInput = true;
        start.StandardOutputEncoding = new UTF8Encoding(false);
        Dictionary<string, object> clip = null;
        string problem = null;
        Process process;
        try
        {
            process = Process.Start(start);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            throw new GenerationRefused("The program " + program + " was not found: put editorbridge on the path, or name it in the environment variable EDITORBRIDGE_CLI.");
        }

        using (process)
        {
            bool ended = false;
            string job = null;
            string line;
            while ((line = process.StandardOutput.ReadLine()) != null)
            {
                Dictionary<string, object> said = JsonLine.Read(line);
                string happened = said.ContainsKey("event") ? said["event"] as string : null;
                if (happened == "error") problem = said["message"] as string;
                if (happened == "done") clip = (Dictionary<string, object>)((List<object>)said["clips"])[0];
                if (said.ContainsKey("job")) job = said["job"] as string;
                bool goOn = true;
                if (happened == "progress") goOn = report(said["stage"] as string, said.ContainsKey("fraction") ? (double)said["fraction"] : 0);
                else if (happened == "plan" || happened == "state") goOn = report(happened == "plan" ? "planned" : said["state"] as string, 0);
                if (goOn || ended) continue;
                ended = true;
                Cancel(process, job);
            }

            process.WaitForExit();
            if (ended) throw new GenerationRefused("Cancelled.");
            if (problem != null) throw new GenerationRefused(problem);
            if (clip == null) throw new GenerationRefused("editorbridge ended with code " + process.ExitCode + " and made no clip.");
        }

        return clip;
    }

    // A program that is killed leaves its job to the host, so the job is ended by its name; the program then ends by itself.
    private void Cancel(Process process, string job)
    {
        if (job == null)
        {
            process.Kill();
            return;
        }

        ProcessStartInfo start = new ProcessStartInfo(program, CommandLine(new[] { "jobs", "cancel", job }));
        start.UseShellExecute = false;
        start.CreateNoWindow = true;
        using (Process cancel = Process.Start(start)) cancel.WaitForExit();
    }

    private VideoEvent Insert(Dictionary<string, object> clip)
    {
        long start = (long)(double)clip["record_start"], frames = (long)(double)clip["frames"];
        int number = (int)(double)clip["track"];
        using (UndoBlock undo = new UndoBlock("EditorBridge"))
        {
            List<VideoTrack> tracks = Tracks();
            VideoTrack track;
            if (number <= tracks.Count)
            {
                track = tracks[number - 1];
            }
            else
            {
                track = new VideoTrack(vegas.Project, 0, "EditorBridge");
                vegas.Project.Tracks.Add(track);
            }

            Media media = Media.CreateInstance(vegas.Project, (string)clip["path"]);
            VideoEvent made = new VideoEvent(vegas.Project, TimeOf(start), TimeOf(start + frames) - TimeOf(start), null);
            track.Events.Add(made);
            made.AddTake(media.GetVideoStreamByIndex(0));
            return made;
        }
    }

    /// <summary>Arguments as Windows programs read them: quoted, with backslashes before a quote doubled.</summary>
    public static string CommandLine(IEnumerable<string> arguments)
    {
        StringBuilder line = new StringBuilder();
        foreach (string argument in arguments)
        {
            if (line.Length > 0) line.Append(' ');
            line.Append('"');
            int backslashes = 0;
            foreach (char c in argument)
            {
                if (c == '\\')
                {
                    backslashes++;
                    continue;
                }

                line.Append('\\', c == '"' ? 2 * backslashes + 1 : backslashes).Append(c);
                backslashes = 0;
            }

            line.Append('\\', 2 * backslashes).Append('"');
        }

        return line.ToString();
    }
}

/// <summary>Reads one line of the program's output: what VEGAS references by itself has no JSON reader.</summary>
public class JsonLine
{
    private readonly string text;
    private int at;

    private JsonLine(string text)
    {
        this.text = text;
    }

    /// <summary>The object of a line; objects are dictionaries, arrays lists, numbers doubles.</summary>
    public static Dictionary<string, object> Read(string line)
    {
        return (Dictionary<string, object>)new JsonLine(line).Value();
    }

    private object Value()
    {
        char c = Next();
        if (c == '{')
        {
            Dictionary<string, object> members = new Dictionary<string, object>();
            at++;
            while (Next() != '}')
            {
                string name = String();
                if (Next() == ':') at++;
                members[name] = Value();
                if (Next() == ',') at++;
            }

            at++;
            return members;
        }

        if (c == '[')
        {
            List<object> items = new List<object>();
            at++;
            while (Next() != ']')
            {
                items.Add(Value());
                if (Next() == ',') at++;
            }

            at++;
            return items;
        }

        if (c == '"') return String();
        int start = at;
        while (at < text.Length && ",]} \t".IndexOf(text[at]) < 0) at++;
        string word = text.Substring(start, at - start);
        if (word == "true") return true;
        if (word == "false") return false;
        if (word == "null") return null;
        return double.Parse(word, CultureInfo.InvariantCulture);
    }

    private char Next()
    {
        while (at < text.Length && char.IsWhiteSpace(text[at])) at++;
        if (at >= text.Length) throw new FormatException("The line ends in the middle: " + text);
        return text[at];
    }

    private string String()
    {
        StringBuilder read = new StringBuilder();
        for (at++; text[at] != '"'; at++)
        {
            if (text[at] != '\\')
            {
                read.Append(text[at]);
                continue;
            }

            at++;
            int special = "bfnrt".IndexOf(text[at]);
            if (text[at] == 'u')
            {
                read.Append((char)int.Parse(text.Substring(at + 1, 4), NumberStyles.HexNumber, CultureInfo.InvariantCulture));
                at += 4;
            }
            else
            {
                read.Append(special >= 0 ? "\b\f\n\r\t"[special] : text[at]);
            }
        }

        at++;
        return read.ToString();
    }
}

#if !WITHOUT_WINDOW
/// <summary>What VEGAS calls.</summary>
public class EntryPoint
{
    // The program on the path, unless `editorbridge plugins install vegas` wrote another one here.
    private const string Program = "editorbridge";

    public void FromVegas(Vegas vegas)
    {
        string program = Environment.GetEnvironmentVariable("EDITORBRIDGE_CLI");
        Generation generation = new Generation(vegas, string.IsNullOrEmpty(program) ? Program : program);
        GenerationRequest request = Ask(generation);
        if (request == null) return;
        using (ProgressWindow window = new ProgressWindow())
        {
            window.Show();
            try
            {
                generation.Run(request, window.Report);
            }
            catch (GenerationRefused refused)
            {
                System.Windows.Forms.MessageBox.Show(refused.Message, "EditorBridge");
            }
        }
    }

    private static GenerationRequest Ask(Generation generation)
    {
        using (System.Windows.Forms.Form form = new System.Windows.Forms.Form())
        {
            form.Text = "EditorBridge";
            form.ClientSize = new System.Drawing.Size(380, 230);
            form.FormBorderStyle = System.Windows.Forms.FormBorderStyle.FixedDialog;
            form.StartPosition = System.Windows.Forms.FormStartPosition.CenterParent;
            System.Windows.Forms.ComboBox kind = new System.Windows.Forms.ComboBox { Left = 12, Top = 12, Width = 356, DropDownStyle = System.Windows.Forms.ComboBoxStyle.DropDownList };
            kind.Items.AddRange(new object[]
            {
                "B-roll over the selected range", "Extend the selected event after its end", "Extend the selected event before its start", "Fill the gap at the cursor",
            });
            kind.SelectedIndex = 0;
            System.Windows.Forms.TextBox prompt = new System.Windows.Forms.TextBox { Left = 12, Top = 44, Width = 356, Height = 96, Multiline = true };
            System.Windows.Forms.Label label = new System.Windows.Forms.Label { Left = 12, Top = 154, Width = 200, Text = "Frames (of an extension)" };
            System.Windows.Forms.NumericUpDown frames = new System.Windows.Forms.NumericUpDown { Left = 288, Top = 150, Width = 80, Minimum = 1, Maximum = 100000, Value = 24 };
            System.Windows.Forms.Button make = new System.Windows.Forms.Button { Left = 206, Top = 190, Width = 78, Text = "Generate", DialogResult = System.Windows.Forms.DialogResult.OK };
            System.Windows.Forms.Button leave = new System.Windows.Forms.Button { Left = 290, Top = 190, Width = 78, Text = "Cancel", DialogResult = System.Windows.Forms.DialogResult.Cancel };
            form.Controls.AddRange(new System.Windows.Forms.Control[] { kind, prompt, label, frames, make, leave });
            form.CancelButton = leave;
            // The prompt takes longer to write than the host to look.
            form.Shown += delegate { generation.LookEarly(); };
            if (form.ShowDialog() != System.Windows.Forms.DialogResult.OK) return null;
            string[] kinds = { "broll", "extend", "extend", "fill" };
            return new GenerationRequest { Kind = kinds[kind.SelectedIndex], Head = kind.SelectedIndex == 2, Frames = (int)frames.Value, Prompt = prompt.Text };
        }
    }
}

/// <summary>Shows how far the job is; VEGAS waits meanwhile, as it does for every script.</summary>
public class ProgressWindow : System.Windows.Forms.Form
{
    private readonly System.Windows.Forms.ProgressBar bar = new System.Windows.Forms.ProgressBar { Left = 12, Top = 12, Width = 296, Maximum = 1000 };
    private readonly System.Windows.Forms.Label stage = new System.Windows.Forms.Label { Left = 12, Top = 44, Width = 200 };
    private bool cancelled;

    public ProgressWindow()
    {
        Text = "EditorBridge";
        ClientSize = new System.Drawing.Size(320, 80);
        FormBorderStyle = System.Windows.Forms.FormBorderStyle.FixedToolWindow;
        TopMost = true;
        System.Windows.Forms.Button cancel = new System.Windows.Forms.Button { Left = 230, Top = 42, Width = 78, Text = "Cancel" };
        cancel.Click += delegate { cancelled = true; };
        FormClosing += delegate { cancelled = true; };
        Controls.AddRange(new System.Windows.Forms.Control[] { bar, stage, cancel });
    }

    /// <summary>Shows a stage; the answer is whether to go on.</summary>
    public bool Report(string name, double part)
    {
        stage.Text = (name ?? "").Replace('_', ' ');
        bar.Value = (int)(1000 * Math.Max(0, Math.Min(1, part)));
        System.Windows.Forms.Application.DoEvents();
        return !cancelled;
    }
}
#endif
