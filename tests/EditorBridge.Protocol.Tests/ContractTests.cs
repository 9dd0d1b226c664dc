using EditorBridge.Protocol.V1;
using Google.Api;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace EditorBridge.Protocol.Tests;

/// <summary>The rules of Google AIP that a program can check.</summary>
public class ContractTests
{
    private static readonly FileDescriptor[] Files =
    [
        MediaReflection.Descriptor, JobReflection.Descriptor, PlanReflection.Descriptor, ModelReflection.Descriptor,
        JobServiceReflection.Descriptor, ModelServiceReflection.Descriptor, AssetServiceReflection.Descriptor, MediaServiceReflection.Descriptor,
        ServerServiceReflection.Descriptor,
    ];

    private static IEnumerable<MessageDescriptor> Messages => Files.SelectMany(f => f.MessageTypes).SelectMany(WithNested);

    [Fact]
    public void Every_field_that_a_caller_or_the_host_sets_says_whether_it_is_required_optional_or_output_only()
    {
        string[] envelopes = ["Response"];
        var silent = Messages
            .Where(m => !envelopes.Any(e => m.Name.EndsWith(e, StringComparison.Ordinal)) && m.Name != nameof(ChecksummedData))
            .SelectMany(m => m.Fields.InFieldNumberOrder())
            .Where(f => f.GetOptions()?.GetExtension(FieldBehaviorExtensions.FieldBehavior) is not { Count: > 0 })
            .Select(f => f.FullName);
        Assert.Empty(silent);
    }

    [Fact]
    public void Every_enum_begins_with_an_unspecified_zero()
    {
        var enums = Files.SelectMany(f => f.EnumTypes).Concat(Messages.SelectMany(m => m.EnumTypes));
        Assert.All(enums, e => Assert.EndsWith("_UNSPECIFIED", e.FindValueByNumber(0).Name, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_method_that_json_can_carry_has_an_http_form_of_its_own()
    {
        var methods = Files.SelectMany(f => f.Services).SelectMany(s => s.Methods).Where(m => !m.IsClientStreaming).ToList();
        var forms = methods.Select(m => m.GetOptions()!.GetExtension(AnnotationsExtensions.Http)).ToList();
        Assert.All(forms, Assert.NotNull);
        var distinct = forms.Select(h => h.PatternCase + " " + h.Get + h.Post + h.Delete).Distinct();
        Assert.Equal(methods.Count, distinct.Count());
    }

    [Fact]
    public void Lists_are_paginated()
    {
        var lists = Messages.Where(m => m.Name.StartsWith("List", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(lists);
        Assert.All(lists.Where(m => m.Name.EndsWith("Request", StringComparison.Ordinal)), m =>
        {
            Assert.NotNull(m.FindFieldByName("page_size"));
            Assert.NotNull(m.FindFieldByName("page_token"));
        });
        Assert.All(lists.Where(m => m.Name.EndsWith("Response", StringComparison.Ordinal)),
            m => Assert.NotNull(m.FindFieldByName("next_page_token")));
    }

    [Fact]
    public void Every_element_of_every_file_is_commented()
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "contract");
        var files = Directory.GetFiles(folder, "*.proto", SearchOption.AllDirectories);
        Assert.Equal(10, files.Length);
        var bare = new List<string>();
        foreach (var file in files)
        {
            var lines = File.ReadAllLines(file);
            for (var i = 1; i < lines.Length; i++)
            {
                var line = lines[i].Trim();
                var opens = line.StartsWith("message ", StringComparison.Ordinal) || line.StartsWith("enum ", StringComparison.Ordinal)
                    || line.StartsWith("service ", StringComparison.Ordinal) || line.StartsWith("rpc ", StringComparison.Ordinal)
                    || line.StartsWith("oneof ", StringComparison.Ordinal);
                var isElement = opens
                    || (System.Text.RegularExpressions.Regex.IsMatch(line, @"^[\w.<>, ]+ = \d+( \[.*)?(;|\[)") && !line.StartsWith("option", StringComparison.Ordinal));
                if (isElement && !lines[i - 1].TrimStart().StartsWith("//", StringComparison.Ordinal))
                    bare.Add($"{Path.GetFileName(file)}:{i + 1}: {line}");
            }
        }

        Assert.Empty(bare);
    }

    [Fact]
    public void A_job_survives_binary_and_json()
    {
        var job = new Job
        {
            Name = "jobs/a1b2",
            Spec = new JobSpec
            {
                Kind = JobSpec.Types.Kind.Fill,
                Prompt = "fog rolls in — \"slowly\"\n",
                Delivery = new Delivery
                {
                    Size = new PixelSize { Width = 1920, Height = 1080 }, Rate = new FrameRate { Numerator = 24000, Denominator = 1001 }, Frames = 48,
                },
                ContextBefore = new ContextFrames
                {
                    Segment = new MediaSegment
                    {
                        Media = new MediaSource { Path = "/a b/ü.mov" }, Range = new FrameRange { Start = 86400, Duration = 12 },
                    },
                    Frames = 9,
                },
                Seed = long.MinValue,
            },
            State = Job.Types.State.Running,
        };
        Assert.Equal(job, Job.Parser.ParseFrom(job.ToByteArray()));
        Assert.Equal(job, JsonParser.Default.Parse<Job>(JsonFormatter.Default.Format(job)));
        Assert.True(job.Spec.HasSeed);
        Assert.False(new JobSpec().HasSeed);
    }

    private static IEnumerable<MessageDescriptor> WithNested(MessageDescriptor message) =>
        message.NestedTypes.Where(n => n.GetOptions()?.MapEntry != true).SelectMany(WithNested).Prepend(message);
}
