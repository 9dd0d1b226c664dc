using System.ComponentModel.DataAnnotations;
using EditorBridge.Host.Security;

namespace EditorBridge.Host;

/// <summary>
/// Every setting of the host. Each can be given as --kebab-case value on the command line, as EDITORBRIDGE_HOST__Name in the environment, or in
/// host.json in the data folder; the first of these that is there wins. Times are written "00:10:00".
/// </summary>
public sealed class HostOptions
{
    /// <summary>The folder that holds jobs, clips and logs. EDITORBRIDGE_DATA names it as well; the default is editorbridge in XDG_STATE_HOME.</summary>
    [Required]
    public string Data { get; set; } = "";

    /// <summary>End the host after this long with no job and no call. Zero means never. A host that a client started has ten minutes.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "365.00:00:00")]
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.Zero;

    /// <summary>Run without a terminal: leave the session of whoever started it, and log to files only.</summary>
    public bool Detached { get; set; }

    /// <summary>Name of the model that jobs use which name none.</summary>
    [Required]
    public string DefaultModel { get; set; } = "sketch";

    /// <summary>The folder that models are pulled into; the default is models in the data folder.</summary>
    public string? Models { get; set; }

    /// <summary>Where models are pulled from: the base address of a hub that speaks Hugging Face's API. HF_ENDPOINT names it as well.</summary>
    [RegularExpression("https?://.+", ErrorMessage = "Hub is an address that begins with https:// (or http:// on this machine).")]
    public string Hub { get; set; } = "https://huggingface.co";

    /// <summary>An access token for the hub, where a repository asks for one. HF_TOKEN names it as well; better there or in host.json than on the command line, which others can see.</summary>
    public string? HubToken { get; set; }

    /// <summary>Files of a model that are pulled at once.</summary>
    [Range(1, 32)]
    public int ParallelPulls { get; set; } = 4;

    /// <summary>
    /// Device that jobs run on: "auto" (an NVIDIA GPU if one works, else the CPU), "cpu", "cuda" or "cuda:N" (GPU number N, from 0), or "mps" (Apple's GPUs). One
    /// that cannot be used fails the job with the reason; "editorbridge doctor" says which one it is.
    /// </summary>
    [RegularExpression("auto|cpu|mps|cuda(:[0-9]{1,3})?", ErrorMessage = "Device is auto, cpu, cuda, cuda:N or mps.")]
    public string Device { get; set; } = "auto";

    /// <summary>The worker program. EDITORBRIDGE_WORKER names it as well; the default is the one beside the host.</summary>
    public string? Worker { get; set; }

    /// <summary>How often a job may fail or crash without getting further before it is given up.</summary>
    [Range(1, 100)]
    public int MaxAttempts { get; set; } = 3;

    /// <summary>How long a running job belongs to a host that does not report.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan LeaseTime { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>How long the worker may be silent before it is ended; on a machine at the end of its strength a healthy one has been for 20 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan WorkerSilence { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>How long one step of the pipeline may take before the worker counts as stuck.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan StepAllowance { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>How long a worker may take to obey a cancel before it is ended.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:01:00")]
    public TimeSpan CancelGrace { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How long a worker may take to save its state when the host stops.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:05:00")]
    public TimeSpan StopGrace { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>How long a worker with nothing to do keeps its model in memory.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "1.00:00:00")]
    public TimeSpan WorkerIdle { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Bytes that must stay free on the data folder's disk beside what a job needs.</summary>
    [Range(0, long.MaxValue)]
    public long SpareDiskBytes { get; set; } = 256L << 20;

    /// <summary>How long a job that has ended is kept, with its clips in the data folder; clips that were fetched are not touched. Zero means for ever.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "3650.00:00:00")]
    public TimeSpan KeepJobs { get; set; } = TimeSpan.FromDays(30);

    /// <summary>
    /// The most bytes the folders of jobs may have together: above that the oldest that have ended are removed, but none that ended within the
    /// hour. Zero means no limit.
    /// </summary>
    [Range(0, long.MaxValue)]
    public long MostJobBytes { get; set; } = 50L << 30;

    /// <summary>
    /// The most bytes that clips laid out as pixels (PrepareFrames) may have together, beside MostJobBytes: above that those wanted longest ago go.
    /// A 1080p frame of 8 bits has 8 MiB. Zero means no limit.
    /// </summary>
    [Range(0, long.MaxValue)]
    public long FrameCacheBytes { get; set; } = 8L << 30;

    /// <summary>How long an uploaded file is kept that no waiting or running job needs, from its last use. Zero means for ever.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "3650.00:00:00")]
    public TimeSpan KeepAssets { get; set; } = TimeSpan.FromDays(7);

    /// <summary>The most bytes an uploaded file may have.</summary>
    [Range(1, long.MaxValue)]
    public long LargestAssetBytes { get; set; } = 16L << 30;

    /// <summary>
    /// An origin ("null", or a scheme and a name) that requests may come from although they carry it, for panels of editors that are web pages
    /// inside: the host's refusal names what came. The token is asked for all the same. Empty, the default, lets no other page in.
    /// </summary>
    public string PanelOrigin { get; set; } = "";

    /// <summary>
    /// The folders that media, pictures, LoRAs and models named by requests may lie in, separated as in PATH; what is uploaded, and models where the host
    /// looks by itself, need none. Empty, the default, means every file that the host's user may read.
    /// </summary>
    [CustomValidation(typeof(AllowedFolders), nameof(Security.AllowedFolders.Validate))]
    public string AllowedFolders { get; set; } = "";

    /// <summary>
    /// A port of this machine on which the host also speaks the contract of Blender's Pallaidium add-on (Backend Contract v0.1). Zero, the default, switches
    /// that off. The key for it is in pallaidium.key in the data folder and stays the same.
    /// </summary>
    [Range(0, 65535)]
    public int PallaidiumPort { get; set; }

    /// <summary>
    /// How many ffprobes wait, started ahead, for media that somebody asks about, where ffprobe takes long to start (on Linux, linked to the libraries of a
    /// distribution): each has some 10 MB of its own. Zero means none.
    /// </summary>
    [Range(0, 8)]
    public int ReadyProbes { get; set; } = 2;

    /// <summary>Write prompts into the log.</summary>
    public bool LogPrompts { get; set; }

    /// <summary>Make a plan for nobody at the start, so that the first one does not wait until models are read and the machine is measured.</summary>
    public bool WarmUp { get; set; } = true;

    /// <summary>Measure this machine for one second before the first plan, so that plans name a time.</summary>
    public bool MeasureSpeed { get; set; } = true;

    /// <summary>
    /// For tests of supervision: every take is a small computation in place of the pipeline, as the job's label "rehearsal" describes it (the JSON
    /// of editorbridge.worker.v1.Rehearsal).
    /// </summary>
    public bool Rehearse { get; set; }
}
