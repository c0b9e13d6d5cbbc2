using System.Runtime.InteropServices;
using Microsoft.ML.Lacos.Native;
using Microsoft.ML.Lacos.Safetensors;
using TorchSharp;

namespace Microsoft.ML.Lacos.Training.Optimizers;

/// <summary>Updates tensors by their gradients; what <see cref="Adam8bit"/> and <see cref="AdamW"/> share.</summary>
/// <remarks>
/// The arithmetic runs on the CPU in this assembly, not in torch, so that a run can be continued with the same bits; tensors on another device are copied there and back.
/// A tensor without a gradient is left alone and its count of steps stays. One thread at a time.
/// </remarks>
public abstract class AdamOptimizer
{
    private const string StepsName = "steps";

    private readonly (string Name, torch.Tensor Value)[] _parameters;
    private readonly IMoments[] _moments;
    private readonly long[] _steps;
    private readonly AdamOptions _options;

    private protected AdamOptimizer(IEnumerable<(string Name, torch.Tensor Value)> parameters, AdamOptions options, Func<int, IMoments> moments)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        _options = options;
        LearningRate = options.LearningRate;
        _parameters = [.. parameters];
        var names = new HashSet<string>(StringComparer.Ordinal) { StepsName };
        foreach ((string name, torch.Tensor value) in _parameters)
        {
            if (name is null || value is null)
            {
                throw new ArgumentException($"{(name is null ? "A tensor to be trained has no name" : $"'{name}' is null")}; give each tensor and its name.", nameof(parameters));
            }
            if (!names.Add(name))
            {
                throw new ArgumentException($"Two tensors to be trained are named '{name}'; give each its own name.", nameof(parameters));
            }
            if (value.dtype != torch.ScalarType.Float32 || value.NumberOfElements is 0 or > int.MaxValue / sizeof(float))
            {
                throw new ArgumentException(
                    $"'{name}' is {value.dtype} [{string.Join(", ", value.shape)}]; only Float32 tensors of 1 to {int.MaxValue / sizeof(float)} elements can be trained.", nameof(parameters));
            }
        }
        _moments = [.. _parameters.Select(item => moments((int)item.Value.NumberOfElements))];
        _steps = new long[_parameters.Length];
    }

    /// <summary>Size of the next step, from 0; a schedule sets it before each.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is set to a number below 0, to NaN or to infinity.</exception>
    public double LearningRate
    {
        get;
        set
        {
            AdamOptions.CheckLearningRate(value);
            field = value;
        }
    }

    /// <summary>Bytes that the moments take, without the weights and gradients.</summary>
    public long StateByteSize => _moments.Sum(moments => moments.ByteSize);

    /// <summary>The tensors that are trained, by name.</summary>
    public IReadOnlyList<(string Name, torch.Tensor Value)> Parameters => _parameters;

    /// <summary>
    /// All that a checkpoint must store to continue: the moments of each tensor, and <c>steps</c>, one number a tensor. Copy or write the arrays before the next step changes them.
    /// </summary>
    public IReadOnlyList<OptimizerArray> State =>
        [
            new OptimizerArray(StepsName, _steps),
            .. _moments.SelectMany((moments, i) => moments.Arrays.Select(array => new OptimizerArray($"{_parameters[i].Name}.{array.Part}", array.Values))),
        ];

    /// <summary>Makes one step with the gradients that the tensors have now.</summary>
    public void Step() => EncoderThreads.Run(_parameters.Length, EncoderThreads.Resolve(0), StepOne);

    /// <summary>Forgets all gradients.</summary>
    public void ZeroGradients()
    {
        foreach ((_, torch.Tensor value) in _parameters)
        {
            using torch.Tensor? gradient = value.grad;
            if (gradient is not null)
            {
                value.grad = null;
            }
        }
    }

    /// <summary>Continues from a stored state.</summary>
    /// <param name="state">What <see cref="State"/> gave, by name. Nothing is changed unless all of it fits.</param>
    /// <exception cref="InvalidDataException">An array is missing or too many, or has another type, length or impossible values: the state is of another configuration, or damaged.</exception>
    public void Restore(IReadOnlyDictionary<string, Array> state)
    {
        Require(state);
        foreach (OptimizerArray array in State)
        {
            Array.Copy(state[array.Name], array.Values, array.Values.Length);
        }
    }

    /// <summary>Refuses a state that does not fit; changes nothing.</summary>
    /// <inheritdoc cref="Restore"/>
    internal void Require(IReadOnlyDictionary<string, Array> state)
    {
        ArgumentNullException.ThrowIfNull(state);
        IReadOnlyList<OptimizerArray> own = State;
        foreach (OptimizerArray array in own)
        {
            if (!state.TryGetValue(array.Name, out Array? values) || values?.GetType() != array.Values.GetType() || values.Length != array.Values.Length)
            {
                string found = values is null ? "nothing" : $"{values.GetType().Name} of {values.Length}";
                throw new InvalidDataException(
                    $"The optimiser's state has {found} for '{array.Name}', where {array.Values.GetType().Name} of {array.Values.Length} belongs. Continue with the configuration that wrote it, or start anew.");
            }
            if (values is float[] floats && !floats.All(float.IsFinite) || values is long[] counts && counts.Any(count => count < 0))
            {
                throw new InvalidDataException($"The optimiser's state has an impossible number in '{array.Name}'; it is damaged. Continue from an earlier checkpoint.");
            }
        }
        if (state.Count != own.Count)
        {
            string extra = state.Keys.Except(own.Select(array => array.Name)).First();
            throw new InvalidDataException($"The optimiser's state has '{TextInMessage.Of(extra)}', which nothing here uses. Continue with the configuration that wrote it, or start anew.");
        }
    }

    private void StepOne(int index)
    {
        torch.Tensor value = _parameters[index].Value;
        using torch.Tensor? gradient = value.grad;
        if (gradient is null)
        {
            return;
        }
        using torch.Tensor here = gradient.cpu();
        using torch.Tensor packed = here.contiguous();
        ReadOnlySpan<float> gradients = MemoryMarshal.Cast<byte, float>(packed.bytes);
        var step = new AdamStep(_options, LearningRate, ++_steps[index]);
        if (value.device_type == DeviceType.CPU && value.is_contiguous())
        {
            _moments[index].Apply(step, MemoryMarshal.Cast<byte, float>(value.bytes), gradients);
            return;
        }
        using IDisposable noGradient = torch.no_grad();
        using torch.Tensor detached = value.detach();
        using torch.Tensor moved = detached.cpu();
        using torch.Tensor copy = moved.contiguous();
        _moments[index].Apply(step, MemoryMarshal.Cast<byte, float>(copy.bytes), gradients);
        value.copy_(copy);
    }
}
