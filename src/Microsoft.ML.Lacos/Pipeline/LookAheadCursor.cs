using System.Runtime.ExceptionServices;
using Microsoft.ML.Data;

namespace Microsoft.ML.Lacos.Pipeline;

/// <summary>
/// Reads a window of rows ahead, so that their texts can be encoded together; encodes when a vector of the window is first asked for.
/// </summary>
/// <remarks>
/// Windows grow from 16 rows to the option's number, so that a look at the first rows stays cheap, and end early when their texts are huge.
/// An error of the input does not reach back: rows read before it are served, then <see cref="MoveNext"/> throws it, now and whenever it is called again.
/// </remarks>
internal sealed class LookAheadCursor : DataViewRowCursor
{
    private const int FirstWindowRows = 16;
    private const int WindowGrowth = 4;
    private const long MostWindowCharacters = 1 << 22;

    private readonly EmbeddingView _view;
    private readonly DataViewRowCursor _input;
    private readonly bool[] _active;
    private readonly LongTextTally _tally;
    private readonly TextWindow _texts;
    private readonly ColumnBuffer?[] _buffers;
    private readonly ValueGetter<DataViewRowId> _idGetter;
    private readonly List<(DataViewRowId Id, long Batch)> _rows = [];
    private int _windowRows;
    private int _row = -1;
    private long _position = -1;
    private bool _ended;
    private bool _closed;
    private ExceptionDispatchInfo? _failure;

    public LookAheadCursor(EmbeddingView view, DataViewRowCursor input, bool[] active, LongTextTally tally)
    {
        _view = view;
        _input = input;
        _active = active;
        _tally = tally;
        _windowRows = Math.Min(FirstWindowRows, view.Context.Options.LookAheadRows);
        _idGetter = input.GetIdGetter();
        _texts = new TextWindow(view.Context, view.Bindings, input, view.Bindings.ActiveSources(active));
        _buffers = [.. input.Schema.Select(column => active[column.Index] ? ColumnBuffer.Create(input, column) : null)];
    }

    public override DataViewSchema Schema => _view.Schema;

    public override long Position => _position;

    public override long Batch => _row < 0 ? 0 : _rows[_row].Batch;

    public override bool IsColumnActive(DataViewSchema.Column column) => _active[ColumnErrors.IndexOf(Schema, column)];

    public override bool MoveNext()
    {
        if (_row + 1 >= _rows.Count && !ReadWindow())
        {
            _position = -1;
            CloseTally();
            return false;
        }
        _row++;
        _position++;
        return true;
    }

    public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId id) => id = _rows[CurrentRow()].Id;

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        int index = ColumnErrors.IndexOf(Schema, column);
        if (!_active[index])
        {
            throw ColumnErrors.NotActive(column);
        }
        Delegate getter = _view.Bindings.IsPassedThrough(index)
            ? _buffers[index]!.Getter(CurrentRow)
            : _view.Bindings.Getter(index, Text, Vector);
        return getter as ValueGetter<TValue> ?? throw ColumnErrors.WrongType(column, typeof(TValue));
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _ended = true;
            DropWindow();
            _position = -1;
            CloseTally();
            _input.Dispose();
        }
        base.Dispose(disposing);
    }

    private bool ReadWindow()
    {
        DropWindow();
        if (_failure is not null)
        {
            _position = -1;
            _failure.Throw();
        }
        if (_ended)
        {
            return false;
        }
        _view.Context.Options.CancellationToken.ThrowIfCancellationRequested();
        try
        {
            while (_rows.Count < _windowRows && _texts.Characters < MostWindowCharacters)
            {
                if (!_input.MoveNext())
                {
                    _ended = true;
                    break;
                }
                CaptureRow();
            }
        }
        catch (Exception error)
        {
            _failure = ExceptionDispatchInfo.Capture(error);
            if (_rows.Count == 0)
            {
                _position = -1;
                throw;
            }
        }
        _windowRows = Math.Min(_windowRows * WindowGrowth, _view.Context.Options.LookAheadRows);
        return _rows.Count > 0;
    }

    private void CaptureRow()
    {
        DataViewRowId id = default;
        _idGetter(ref id);
        foreach (ColumnBuffer? buffer in _buffers)
        {
            buffer?.Capture(_rows.Count);
        }
        _texts.Capture();
        _rows.Add((id, _input.Batch));
    }

    private EncodedText Text(int source) => _texts.Get(CurrentRow(), source);

    private float[] Vector(int source)
    {
        EncodedText text = Text(source);
        try
        {
            return text.Vector;
        }
        catch (ArgumentException error)
        {
            throw new ArgumentException(InRow(error), error);
        }
        catch (InvalidDataException error)
        {
            throw new InvalidDataException(InRow(error), error);
        }
    }

    private string InRow(Exception error) => $"Row {_position} (from 0): {error.Message}";

    private int CurrentRow() =>
        _row >= 0 ? _row : throw new InvalidOperationException($"The cursor is not on a row (position {_position}), so there is no value to get. Call MoveNext first, and read only while it returns true.");

    private void DropWindow()
    {
        _rows.Clear();
        _texts.Clear();
        _row = -1;
    }

    private void CloseTally()
    {
        if (!_closed)
        {
            _closed = true;
            _tally.Close(_texts.LongTexts);
        }
    }
}
