using EditorBridge.Diffusion.Conditioning;
using EditorBridge.Diffusion.Native;
using EditorBridge.Diffusion.Wan;
using EditorBridge.Diffusion.Weights;
using EditorBridge.Models.Configs;
using EditorBridge.Training.Dit;
using EditorBridge.Training.Measure;
using EditorBridge.Training.Optimisation;
using EditorBridge.Training.Scenes;
using EditorBridge.Training.Vae;
using static TorchSharp.torch;

namespace EditorBridge.Training.Tests;

public sealed class TrainingTests
{
    static TrainingTests()
    {
        NativeTorch.Load();
        set_num_threads(1);
    }

    private static readonly WanVaeConfig TinyVae = VaeTrainer.Sizes with { BaseDim = 4, DecoderBaseDim = 4 };

    [Fact]
    public void The_autoencoder_learns_one_batch()
    {
        using var scope = NewDisposeScope();
        string path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.safetensors");
        try
        {
            manual_seed(3);
            int z = TinyVae.ZDim;
            WeightSaver.Save(
                new Dictionary<string, Tensor> { ["kernel"] = randn([z, 3, 4, 16, 16]) / Math.Sqrt(3072), ["bias"] = zeros(z), ["weight"] = ones([1, z, 1, 1, 1]) }, path);
            using var components = PrincipalComponents.At(path, z, _ => { });
            using var network = new WanVideoVae(TinyVae);
            network.Initialize();
            using var optimizer = new WeightOptimizer(network, VaeTrainer.IsMatrix);
            var random = new SeededRandom(2);
            const int Frames = 5, Side = 32;
            var batch = new ClipBatch(SceneRenderer.RenderClip(Scene.Sample(random), Side, Side, Frames, 0), 1, Frames, Side, Side);
            var first = VaeTrainer.Step(network, optimizer, batch, ScalarType.Float32, 3e-3, components);
            var last = first;
            for (int i = 0; i < 40; i++)
            {
                last = VaeTrainer.Step(network, optimizer, batch, ScalarType.Float32, 3e-3, components);
            }

            Assert.True(last.Picture < 0.6 * first.Picture, $"{first} to {last}");
            Assert.True(last.Latent < 0.6 * first.Latent, $"{first} to {last}");
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    [Trait("Speed", "slow")]
    public void Components_are_uncorrelated_and_keep_most_of_a_picture()
    {
        using var scope = NewDisposeScope();
        string path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.safetensors");
        try
        {
            List<string> log = [];
            using var components = PrincipalComponents.At(path, 48, log.Add, clips: 80);
            Assert.Contains("48 components of 3072", Assert.Single(log), StringComparison.Ordinal);

            var random = new SeededRandom(5);
            var values = cat(Enumerable.Range(0, 60).Select(_ => components.Of(tensor(VaeClips.Clip(random, 5, 96, 160), [1, 3, 5, 96, 160])).transpose(0, 1).flatten(1)).ToArray(), 1); // [48, n]
            var covariance = values.cov(); // [48, 48]
            double total = covariance.diagonal().sum().item<float>(), between = (covariance - covariance.diagonal().diag()).square().sum().sqrt().item<float>();
            Assert.InRange(total / 48, 0.5, 2);
            Assert.True(between < 0.25 * total, $"{between} of {total}");
            Assert.True(components.Weight[0, 0].item<float>() > 10 * components.Weight[0, 47].item<float>());

            // A still picture has no motion: its latents are the same at every frame.
            float[] still = SceneRenderer.RenderClip(Scene.Sample(random), 160, 96, 1, 0);
            var clip = tensor(still, [1, 3, 1, 96, 160]).expand(-1, -1, 9, -1, -1);
            var latents = components.Of(clip);
            Assert.Equal([1, 48, 3, 6, 10], latents.shape);
            Assert.True((latents - latents.narrow(2, 0, 1)).abs().max().item<float>() < 1e-3);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void The_shipped_encoder_gives_the_shipped_components()
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        using var pause = CollectorPause.Begin();
        using var components = PrincipalComponents.At(PrincipalComponents.Shipped, 48, _ => Assert.Fail("The shipped components are missing."));
        using var vae = WanVideoVae.Load(Path.Combine(AppContext.BaseDirectory, "models", "sketch", "vae"));
        var clip = tensor(SceneRenderer.RenderClip(Scene.Sample(new SeededRandom(77)), 160, 96, 9, -0.2), [1, 3, 9, 96, 160]);
        var (exact, encoded) = (components.Of(clip), vae.Encode(clip));
        double error = (exact - encoded).square().mean().item<float>() / exact.square().mean().item<float>();
        Assert.True(error < 0.05, $"{error}");
    }

    [Fact]
    public void A_new_classifier_gives_numbers()
    {
        using var scope = NewDisposeScope();
        // Memory that other tensors left behind would show in weights that nobody set.
        for (int i = 0; i < 50; i++)
        {
            full([32 + i], float.NaN).Dispose();
        }

        using var classifier = new SceneClassifier();
        foreach (var (name, parameter) in classifier.named_parameters())
        {
            Assert.True(parameter.isfinite().all().item<bool>() && parameter.abs().max().item<float>() <= 1, name);
        }

        var looks = SceneClassifier.Look(tensor(SceneRenderer.RenderClip(Scene.Sample(new SeededRandom(4)), 96, 64, SceneClassifier.Frames, 0), [1, 3, SceneClassifier.Frames, 64, 96]));
        Assert.All(classifier.call(looks), scores => Assert.True(scores.isfinite().all().item<bool>()));
    }

    [Fact]
    public void What_the_classifier_learns_from_is_what_it_is_shown_of_a_clip()
    {
        using var scope = NewDisposeScope();
        using var components = PrincipalComponents.At(PrincipalComponents.Shipped, 48, _ => { });
        var pool = new LookPool(2);
        pool.Add(new LookMaker(new SeededRandom(8), components, coded: 0).Render());
        var (learnt, facts) = pool.Range(0, 1);
        var random = new SeededRandom(8);
        var scene = Scene.Sample(random);
        float[] clip = SceneRenderer.RenderClip(scene, 288, 160, SceneClassifier.Frames, random.Between(-0.7, -0.3));
        var shown = SceneClassifier.Look(tensor(clip, [1, 3, SceneClassifier.Frames, 160, 288]));
        Assert.Equal(SceneFacts.Of(scene), facts[0]);
        Assert.InRange((learnt - shown).abs().max().item<float>(), 0, 1 / 127f);
    }

    [Fact]
    public void A_decoded_look_is_what_the_autoencoder_leaves_of_the_scene()
    {
        using var scope = NewDisposeScope();
        using var components = PrincipalComponents.At(PrincipalComponents.Shipped, 48, _ => { });
        using var sketch = new SketchModel(Path.Combine(AppContext.BaseDirectory, "models", "sketch"));
        var pool = new LookPool(1);
        pool.Add(new LookMaker(new SeededRandom(8), components, coded: 0).Decode(sketch));
        var (decoded, facts) = pool.Range(0, 1);
        var random = new SeededRandom(8);
        var scene = Scene.Sample(random);
        float[] clip = SceneRenderer.RenderClip(scene, 288, 160, SceneClassifier.Frames, random.Between(-0.7, -0.3));
        var rendered = SceneClassifier.Look(tensor(clip, [1, 3, SceneClassifier.Frames, 160, 288]));
        Assert.Equal(SceneFacts.Of(scene), facts[0]);
        Assert.InRange((decoded - rendered).square().mean().sqrt().item<float>(), 0.005, 0.12);
    }

    [Fact]
    public void What_the_components_keep_of_a_frame_is_near_what_the_autoencoder_keeps()
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        using var components = PrincipalComponents.At(PrincipalComponents.Shipped, 48, _ => { });
        using var sketch = new SketchModel(Path.Combine(AppContext.BaseDirectory, "models", "sketch"));
        float[] frame = SceneRenderer.RenderClip(Scene.Sample(new SeededRandom(12)), 288, 160, 1, 0);
        var picture = tensor(frame, [1, 3, 1, 160, 288]);
        var kept = components.Kept(picture);
        var decoded = tensor(sketch.Decode(sketch.Encode(frame, 1, 288, 160)), [1, 3, 1, 160, 288]);
        double Apart(Tensor a, Tensor b) => (a - b).square().mean().sqrt().item<float>();
        Assert.InRange(Apart(kept, picture), 0.01, 0.12);
        Assert.True(Apart(kept, decoded) < 0.7 * Apart(kept, picture));
    }

    [Fact]
    public void Rare_facts_are_learnt_from_as_often_as_others()
    {
        int Sinking(int choices)
        {
            var (balance, random) = (new SceneBalance(), new SeededRandom(9));
            return Enumerable.Range(0, 600).Count(_ => balance.Next(random, choices) is { Subject: not Subject.None, Motion: SubjectMotion.Down });
        }

        Assert.True(Sinking(6) >= 2 * Math.Max(1, Sinking(1)));
    }

    [Fact]
    public void What_the_components_keep_of_four_frames_is_their_best_linear_code()
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        using var components = PrincipalComponents.At(PrincipalComponents.Shipped, 48, _ => { });
        var frames = tensor(SceneRenderer.RenderClip(Scene.Sample(new SeededRandom(12)), 96, 64, 4, 0), [1, 3, 4, 64, 96]);
        var kept = components.Kept(frames);
        Assert.Equal(frames.shape, kept.shape);
        double Size(Tensor x) => x.square().mean().item<float>();
        Assert.InRange(Size(kept - frames), 1e-5, 0.2 * Size(frames));
        // A projection: what it keeps it keeps the second time, and what it leaves out is at right angles to it.
        Assert.True(Size(components.Kept(kept) - kept) < 1e-8);
        Assert.True(Math.Abs((kept * (frames - kept)).mean().item<float>()) < 1e-4 * Size(kept));
    }

    [Fact]
    public void A_scene_in_a_mirror_moves_and_pans_the_other_way()
    {
        var scene = Scene.Sample(new SeededRandom(5)) with { Subject = Subject.Car, Motion = SubjectMotion.Left, Camera = CameraMove.PanRight };
        long[] facts = SceneFacts.Of(scene);
        Assert.Equal(SceneFacts.Of(scene with { Motion = SubjectMotion.Right, Camera = CameraMove.PanLeft }), SceneFacts.Mirrored(facts));
        Assert.Equal(facts, SceneFacts.Mirrored(SceneFacts.Mirrored(facts)));
    }

    [Fact]
    public void The_shipped_classifier_reads_the_facts_of_scenes_it_never_saw()
    {
        using var components = PrincipalComponents.At(PrincipalComponents.Shipped, 48, _ => { });
        var pool = new LookPool(60);
        var maker = new LookMaker(SeededRandom.For(977, 3), components, coded: 1);
        while (pool.Count < 60)
        {
            pool.Add(maker.Render(6));
        }

        using var classifier = SceneClassifier.Load(SceneClassifier.Shipped);
        using var scope = NewDisposeScope();
        var (looks, facts) = pool.Range(0, 60);
        long[][] guesses = classifier.Classify(looks);
        Assert.All(Enumerable.Range(0, SceneFacts.Names.Count), fact => Assert.InRange(
            SceneFacts.BalancedAccuracy([.. facts.Select(f => f[fact])], [.. guesses.Select(g => g[fact])], SceneFacts.Classes[fact]), 0.85, 1));
    }

    [Fact]
    public void Looks_of_another_process_are_read_as_they_were_made()
    {
        string path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.safetensors");
        try
        {
            using var components = PrincipalComponents.At(PrincipalComponents.Shipped, 48, _ => { });
            var maker = new LookMaker(new SeededRandom(3), components, coded: 0.5);
            Look[] made = [maker.Render(), maker.Render(), maker.Render()];
            LookShard.Write(path, made, decoded: true);
            var (read, decoded) = LookShard.Read(path);
            Assert.True(decoded);
            Assert.Equal(made.Select(look => Convert.ToHexString(look.Pixels)), read.Select(look => Convert.ToHexString(look.Pixels)));
            Assert.Equal(made.Select(look => look.Facts), read.Select(look => look.Facts));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void A_shifted_look_is_the_same_picture_elsewhere()
    {
        using var scope = NewDisposeScope();
        var looks = rand([2, 5, 3, SceneClassifier.Rows, SceneClassifier.Columns]);
        var shifted = SceneClassifier.Shifted(looks, right: 3, down: -2);
        Assert.Equal(0, (shifted.narrow(4, 3, 100).narrow(3, 0, 50) - looks.narrow(4, 0, 100).narrow(3, 2, 50)).abs().max().item<float>());
        Assert.Equal(0, (shifted.narrow(4, 0, 3).narrow(3, 0, 50) - looks.narrow(4, 0, 1).narrow(3, 2, 50)).abs().max().item<float>());
        Assert.Equal(0, (SceneClassifier.Shifted(looks, 0, 0) - looks).abs().max().item<float>());
    }

    [Fact]
    public void The_oldest_looks_make_room_for_new_ones()
    {
        var pool = new LookPool(3);
        foreach (byte shade in new byte[] { 10, 20, 30, 40, 50 })
        {
            byte[] pixels = new byte[Look.Bytes];
            Array.Fill(pixels, shade);
            pool.Add(new Look(pixels, [shade]));
        }

        using var scope = NewDisposeScope();
        var (looks, facts) = pool.Range(0, 3);
        Assert.Equal([40, 50, 30], facts.Select(f => f[0]));
        Assert.Equal(50 / 127.5f - 1, looks[1].mean().item<float>(), 1e-5);
    }

    [Fact]
    public void A_classifier_goes_on_where_it_stopped()
    {
        string folder = Path.Combine(Path.GetTempPath(), Guid.NewGuid().ToString("N"));
        try
        {
            List<string> log = [];
            string shards = Directory.CreateDirectory(Path.Combine(folder, "looks")).FullName;
            using var components = PrincipalComponents.At(PrincipalComponents.Shipped, 48, _ => { });
            var maker = new LookMaker(new SeededRandom(3), components, coded: 0.5);
            LookShard.Write(Path.Combine(shards, "a.safetensors"), [.. Enumerable.Range(0, 50).Select(_ => maker.Render())], decoded: false);
            void Train(double seconds) => ClassifierTrainer.Run(
                new ClassifierTraining { Folder = folder, Time = TimeSpan.FromSeconds(seconds), Batch = 2, HeldOut = 4, Looks = shards }, log.Add);
            Train(3);
            Assert.DoesNotContain(log, line => line.Contains("going on"));
            Train(4);
            Assert.Contains(log, line => line.Contains("going on"));
            using var classifier = SceneClassifier.Load(Path.Combine(folder, "classifier.safetensors"));
            Assert.All(classifier.named_parameters(), p => Assert.True(p.parameter.isfinite().all().item<bool>()));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void An_optimizer_goes_on_from_its_saved_state()
    {
        using var scope = NewDisposeScope();
        string path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.safetensors");
        try
        {
            manual_seed(1);
            var x = randn(8, 16);
            Tensor Trained(bool interrupted)
            {
                manual_seed(2);
                var network = nn.Linear(16, 16);
                var optimizer = new WeightOptimizer(network, (_, w) => w.ndim == 2);
                for (int i = 0; i < 6; i++)
                {
                    if (interrupted && i == 3)
                    {
                        optimizer.Save(path);
                        network = nn.Linear(16, 16);
                        optimizer = new WeightOptimizer(network, (_, w) => w.ndim == 2);
                        optimizer.Load(path);
                    }

                    (network.call(x) - x).square().mean().backward();
                    optimizer.Step(1e-2);
                }

                return network.weight!.detach().clone();
            }

            Assert.True(Trained(false).equal(Trained(true)).all().item<bool>());
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void Training_and_inference_lay_the_same_frames_out_alike()
    {
        manual_seed(5);
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        using var vae = new WanVideoVae(TinyVae);
        vae.Initialize();
        var scene = Scene.Sample(new SeededRandom(11));
        const int Side = 32, Context = SketchSizes.ContextFrames;
        Tensor Encode(int first, int count) => vae.Encode(tensor(SceneRenderer.RenderClip(scene, Side, Side, count, first / 24.0), [1, 3, count, Side, Side]));
        for (int wanted = 1; wanted <= 8; wanted++)
        {
            foreach (int before in new[] { 0, 1, 5, 9 })
            {
                foreach (int after in new[] { 0, 1, 9 })
                {
                    using var inner = NewDisposeScope();
                    int frames = before + wanted;
                    // Training: the whole main sequence and nine frames after it, cut down to what this step is given.
                    var main = Encode(0, 4 * (LatentShard.MainLatents(frames) - 1) + 1);
                    var (clean, trained) = new ConditioningMix(before, after, Codec: false, Skip: 0).LayOut(frames, main, main, Encode(frames, Context));
                    // Inference: the contexts alone.
                    var layout = ConditioningLayout.Forward(wanted, before, after);
                    var asked = new ConditionedLatents(layout, before == 0 ? null : Encode(0, before), after == 0 ? null : Encode(frames, after));
                    var noisy = randn_like(clean);
                    var a = trained.Segments(noisy, 500);
                    var b = asked.Segments(noisy, 500);
                    Assert.Equal(b.Count, a.Count);
                    foreach (var (p, q) in a.Zip(b))
                    {
                        Assert.Equal(q.TimePositions, p.TimePositions);
                        Assert.True(allclose(p.Timesteps, q.Timesteps));
                        Assert.True(allclose(p.Latent, q.Latent, 1e-3, 1e-3));
                    }
                }
            }
        }
    }

    [Fact]
    public void Single_frames_are_learnt_from_beside_the_first_frames_of_clips()
    {
        using var scope = NewDisposeScope();
        using var components = PrincipalComponents.At(PrincipalComponents.Shipped, 48, _ => { });
        string folder = Directory.CreateTempSubdirectory("shards").FullName;
        try
        {
            const int Width = 64, Height = 32;
            string pictures = Path.Combine(folder, "pictures.safetensors");
            LatentShard.MakePictures(pictures, components.Of, new SeededRandom(14), Width, Height, 3);
            LatentShard.Make(Path.Combine(folder, "clips.safetensors"), components.Of, components.Of, new SeededRandom(15), Width, Height, 9, 2);

            var random = new SeededRandom(14);
            Scene[] scenes = [.. Enumerable.Range(0, 3).Select(_ => Scene.Sample(random))];
            var alone = LatentShard.Read(pictures);
            Assert.Equal(scenes, alone.Scenes);
            var first = components.Of(tensor(SceneRenderer.RenderClip(scenes[0], Width, Height, 1, random.Between(-1.5, 1.5)), [1, 3, 1, Height, Width]));
            Assert.True(allclose(first[0], alone.Main[0].to(float32), 1e-2, 1e-2));

            var pool = new ShardPool(folder);
            Assert.Equal((2, 5), (pool.Clips, pool.Pictures));
            var shard = pool.PickPictures(random);
            Assert.Equal([5, 48, 1, Height / 16, Width / 16], shard.Main.shape);
            Assert.All(Enumerable.Range(0, 10), _ => Assert.Equal(9, pool.Pick(random, small: false).Frames));
            var (main, conditioning) = new ConditioningMix(0, 0, Codec: false, Skip: 0).LayOut(1, shard.Main, shard.Before, shard.After);
            Assert.Single(conditioning.Segments(main, 500));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void The_mix_is_the_designs()
    {
        var random = new SeededRandom(3);
        const int Count = 20_000;
        var mixes = Enumerable.Range(0, Count).Select(_ => ConditioningMix.Sample(random, 45)).ToArray();
        double Share(Func<ConditioningMix, bool> what) => mixes.Count(what) / (double)Count;
        Assert.InRange(Share(m => m is { Before: 0, After: 0 }), 0.19, 0.21);
        // A first frame in 15 %, and a third of the 20 % with A alone.
        Assert.InRange(Share(m => m is { Before: 1, After: 0 }), 0.205, 0.23);
        Assert.InRange(Share(m => m is { Before: > 0, After: 0 }), 0.34, 0.36);
        Assert.InRange(Share(m => m is { Before: 0, After: > 0 }), 0.14, 0.16);
        Assert.InRange(Share(m => m is { Before: > 0, After: > 0 }), 0.29, 0.31);
        Assert.All(mixes, m => Assert.True(m.Before is 0 or 1 or 5 or 9 && m.After is 0 or 1 or 5 or 9));
    }

    [Fact]
    public void Context_survives_the_codec()
    {
        var random = new SeededRandom(4);
        const int Width = 64, Height = 48, Frames = 9;
        float[][] clips = [.. Enumerable.Range(0, 3).Select(_ => SceneRenderer.RenderClip(Scene.Sample(random), Width, Height, Frames, 0))];
        var coded = ContextCodec.Pass(clips, Frames, Height, Width, 20);
        for (int i = 0; i < clips.Length; i++)
        {
            Assert.Equal(clips[i].Length, coded[i].Length);
            double difference = clips[i].Zip(coded[i], (p, q) => Math.Abs(p - q)).Average();
            Assert.InRange(difference, 1e-5, 0.08);
        }
    }
}
