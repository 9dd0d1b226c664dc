// A stand-in for VEGAS' scripting library: the members that public scripts for it use, and no more. Written in C# 5, like the script.

using System;
using System.Collections.Generic;
using System.IO;

namespace ScriptPortal.Vegas
{
    public struct Timecode
    {
        // VEGAS counts in steps of 100 ns.
        private readonly long steps;

        private Timecode(long steps)
        {
            this.steps = steps;
        }

        public static Timecode FromMilliseconds(double milliseconds)
        {
            return new Timecode((long)Math.Round(milliseconds * 10000));
        }

        public double ToMilliseconds()
        {
            return steps / 10000.0;
        }

        public static Timecode operator +(Timecode one, Timecode other)
        {
            return new Timecode(one.steps + other.steps);
        }

        public static Timecode operator -(Timecode one, Timecode other)
        {
            return new Timecode(one.steps - other.steps);
        }
    }

    public class Vegas
    {
        public Project Project = new Project();
        public TransportControl Transport = new TransportControl();
    }

    public class TransportControl
    {
        public Timecode SelectionStart { get; set; }

        public Timecode SelectionLength { get; set; }

        public Timecode CursorPosition { get; set; }
    }

    public class ProjectVideoProperties
    {
        public double FrameRate { get; set; }

        public int Width { get; set; }

        public int Height { get; set; }
    }

    public class Project
    {
        public List<Track> Tracks = new List<Track>();
        public ProjectVideoProperties Video = new ProjectVideoProperties();

        public string FilePath { get; set; }
    }

    public class Track
    {
        public List<TrackEvent> Events = new List<TrackEvent>();
    }

    public class VideoTrack : Track
    {
        private readonly int displayIndex;

        public VideoTrack(Project project, int displayIndex, string name)
        {
            this.displayIndex = displayIndex;
            Name = name;
            // VEGAS puts a track where its display index says, the topmost being 0.
            project.Tracks.Insert(Math.Min(displayIndex, project.Tracks.Count), this);
        }

        public string Name { get; set; }

        public int DisplayIndex
        {
            get { return displayIndex; }
        }
    }

    public class AudioTrack : Track
    {
    }

    public class TrackEvent
    {
        public TrackEvent()
        {
            PlaybackRate = 1;
        }

        public Timecode Start { get; set; }

        public Timecode Length { get; set; }

        public bool Selected { get; set; }

        public double PlaybackRate { get; set; }

        public Take ActiveTake { get; set; }
    }

    public class VideoEvent : TrackEvent
    {
        public VideoEvent(Project project, Timecode start, Timecode length, string name)
        {
            Start = start;
            Length = length;
        }

        public Take AddTake(MediaStream stream)
        {
            ActiveTake = new Take { Media = stream.Parent };
            return ActiveTake;
        }
    }

    public class Take
    {
        public Media Media { get; set; }

        public Timecode Offset { get; set; }

        public Timecode Length { get; set; }
    }

    public class Media
    {
        public string FilePath { get; set; }

        public static Media CreateInstance(Project project, string path)
        {
            if (!File.Exists(path)) throw new FileNotFoundException(path);
            return new Media { FilePath = path };
        }

        public MediaStream GetVideoStreamByIndex(int index)
        {
            return new MediaStream { Parent = this };
        }
    }

    public class MediaStream
    {
        public Media Parent { get; set; }
    }

    public sealed class UndoBlock : IDisposable
    {
        public static int Count;

        public UndoBlock(string name)
        {
            Count++;
        }

        public void Dispose()
        {
        }
    }
}
